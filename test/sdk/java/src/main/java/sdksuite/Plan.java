package sdksuite;

import com.alibaba.fastjson.JSON;
import com.alibaba.fastjson.JSONArray;
import com.alibaba.fastjson.JSONObject;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.HttpURLConnection;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;

/** What the runner says: where the services are, what to send and what to expect. */
final class Plan {
    private static final JSONObject PLAN = read();

    static final int SLOW_TURNS = PLAN.getIntValue("slowTurns");

    private static JSONObject read() {
        try {
            byte[] bytes = Files.readAllBytes(Paths.get(System.getenv("SDK_PLAN")));
            return JSON.parseObject(new String(bytes, StandardCharsets.UTF_8));
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    static boolean has(String service) {
        return PLAN.getJSONObject("services").containsKey(service);
    }

    static String address(String service) {
        if (!has(service)) throw new AssertionError("service " + service + " is not running");
        return PLAN.getString("host") + ":" + PLAN.getJSONObject("services").getJSONObject(service).getIntValue("port");
    }

    static String token(String service) {
        return PLAN.getJSONObject("services").getJSONObject(service).getString("token");
    }

    static int attempts(int status) {
        return PLAN.getJSONObject("attempts").getIntValue(String.valueOf(status));
    }

    static int rows() {
        return PLAN.getJSONArray("digits").size();
    }

    static int label(int row) {
        return PLAN.getJSONArray("digits").getJSONObject(row).getIntValue("label");
    }

    /** One list of a held-out row: `input`, `torchScores` or `tfScores`. */
    static float[] row(int row, String key) {
        JSONArray list = PLAN.getJSONArray("digits").getJSONObject(row).getJSONArray(key);
        float[] values = new float[list.size()];
        for (int i = 0; i < values.length; i++) values[i] = list.getFloatValue(i);
        return values;
    }

    /** The request of the TorchEasyRec processor's page, and what is expected of it. */
    static JSONObject torchrec() {
        return PLAN.getJSONObject("torchrec");
    }

    /** Values to send as this dtype, as text. */
    static String[] tensor(String dtype) {
        return PLAN.getJSONObject("tensors").getJSONArray(dtype).toArray(new String[0]);
    }

    /** How many requests the service has answered with a status, by its own count. */
    static int answered(String service, int status) throws Exception {
        Thread.sleep(100); // the count follows the answer
        HttpURLConnection connection = (HttpURLConnection) new URL("http://" + address(service) + "/metrics").openConnection();
        connection.setRequestProperty("Authorization", token(service));
        double sum = 0;
        try (BufferedReader in = new BufferedReader(new InputStreamReader(connection.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                if (line.startsWith("eas_requests_total") && line.contains("\"" + status + "\"")) {
                    sum += Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1));
                }
            }
        }
        return (int) sum;
    }

    private Plan() {}
}
