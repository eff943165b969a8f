package sdksuite;

import static sdksuite.Tensors.SCALAR;

import com.alibaba.fastjson.JSON;
import com.alibaba.fastjson.JSONObject;
import com.aliyun.openservices.eas.predict.http.HttpConfig;
import com.aliyun.openservices.eas.predict.http.HttpException;
import com.aliyun.openservices.eas.predict.http.PredictClient;
import com.aliyun.openservices.eas.predict.request.TFDataType;
import com.aliyun.openservices.eas.predict.request.TFRequest;
import com.aliyun.openservices.eas.predict.request.TorchDataType;
import com.aliyun.openservices.eas.predict.request.TorchRequest;
import com.aliyun.openservices.eas.predict.response.TFResponse;
import com.aliyun.openservices.eas.predict.response.TorchResponse;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** Runs the cases of ../cases.ts through eas-sdk. Prints one JSON line per case. */
public final class Client {
    interface Check {
        void run() throws Exception;
    }

    static final float TOLERANCE = 1e-4f;
    private static final Map<String, Check> CASES = new LinkedHashMap<>();

    static {
        CASES.put("torch_single", () -> checkDigits(client("digits"), 1));
        CASES.put("trace_batch", () -> checkDigits(client("digits_trace"), Plan.rows()));
        CASES.put("script_batch", () -> checkDigits(client("digits_script"), Plan.rows()));
        CASES.put("torch_batch", () -> checkDigits(client("digits"), Plan.rows()));
        CASES.put("torch_map_inputs", Client::mapInputs);
        CASES.put("torch_debug_level", () -> {
            TorchRequest request = digitsRequest(1);
            Newer.call(request, "setDebugLevel", 1);
            checkScores(client("digits").predict(request), 1);
        });
        CASES.put("torch_fetch_order", () -> {
            TorchRequest request = Tensors.torchRequest();
            request.addFetch(2);
            request.addFetch(0);
            TorchResponse response = client("echo_torch").predict(request);
            Tensors.checkTorch(response, 0, "uint8");
            Tensors.checkTorch(response, 1, "float");
            try {
                response.getTensorShape(2);
            } catch (RuntimeException e) {
                return; // there is no third output
            }
            throw new AssertionError("a third output came back");
        });
        for (String dtype : Tensors.TORCH) {
            CASES.put("torch_dtype_" + dtype, () -> {
                TorchResponse response = client("echo_torch").predict(Tensors.torchRequest());
                Tensors.checkTorch(response, Tensors.TORCH.indexOf(dtype), dtype);
            });
        }
        CASES.put("torch_scalar", () -> {
            TorchResponse response = client("echo_torch").predict(Tensors.torchRequest());
            expect(response.getTensorShape(Tensors.TORCH.size()), Collections.emptyList(), "shape");
            expect(response.getFloatVals(Tensors.TORCH.size()), Arrays.asList(SCALAR), "values");
        });
        CASES.put("torch_large", Client::large);
        CASES.put("torch_threads", Client::threads);
        CASES.put("torch_after_refusal", () -> {
            PredictClient client = client("digits");
            TorchRequest refused = new TorchRequest();
            refused.addFeed(0, TorchDataType.DT_FLOAT, new long[] {1, 3}, new float[] {1, 2, 3});
            for (int i = 0; i < 3; i++) {
                checkAttempts("digits", 400, () -> client.predict(refused));
                checkDigits(client, 1);
            }
        });
        CASES.put("torch_out_half", () -> expect(torchOut(0).getFloatVals(0), Arrays.asList(0f, 1f, 2.5f, 300f), "values"));
        CASES.put("torch_out_bool", () -> expect(torchOut(1).getIntVals(1), Arrays.asList(0, 1, 1, 1), "values"));
        CASES.put("torch_out_uint16", () -> expect(torchOut(2).getIntVals(2), Arrays.asList(0, 1, 2, 300), "values"));
        CASES.put("torch_out_rank0", () -> expect(torchOut(3).getFloatVals(3), Arrays.asList(303.5f), "values"));

        CASES.put("tf_single", () -> tfDigits("digits_tf", 1, "serving_default"));
        CASES.put("savedmodel_batch", () -> {
            tfDigits("digits_savedmodel", Plan.rows(), "");
            tfDigits("digits_savedmodel", Plan.rows(), "serving_default");
        });
        CASES.put("savedmodel_signature_json", () -> {
            JSONObject signature = JSON.parseObject(client("digits_savedmodel").predict(""));
            expect(signature.getString("signature_name"), "serving_default", "signature name");
            expect(signature.getJSONArray("inputs").getJSONObject(0).getString("name"), "images", "input name");
        });
        CASES.put("tf_batch", () -> tfDigits("digits_tf", Plan.rows(), "serving_default"));
        CASES.put("tf_signature_name", () -> {
            tfDigits("digits_tf", 2, "");
            tfDigits("digits_tf", 2, null);
            tfDigits("digits_tf", 2, "serving_default");
        });
        CASES.put("tf_fetch", () -> {
            TFRequest request = Tensors.tfRequest();
            request.addFetch("out_int64");
            request.addFetch("out_bool");
            TFResponse response = client("echo").predict(request);
            Tensors.checkTf(response, "int64");
            Tensors.checkTf(response, "bool");
            try {
                response.getTensorShape("out_float");
            } catch (RuntimeException e) {
                return; // it was not asked for
            }
            throw new AssertionError("out_float came back");
        });
        for (String dtype : Tensors.TF) {
            CASES.put("tf_dtype_" + dtype, () -> Tensors.checkTf(client("echo").predict(Tensors.tfRequest()), dtype));
        }
        CASES.put("tf_scalar", () -> {
            TFResponse response = client("echo").predict(Tensors.tfRequest());
            expect(response.getTensorShape("out_scalar"), Collections.emptyList(), "shape");
            expect(response.getFloatVals("out_scalar"), Arrays.asList(SCALAR), "values");
        });
        CASES.put("tf_signature_json", () -> {
            JSONObject signature = JSON.parseObject(client("digits_tf").predict(""));
            expect(signature.getJSONArray("inputs").getJSONObject(0).getString("name"), "images", "input name");
            expect(signature.getJSONArray("inputs").getJSONObject(0).getString("type"), "DT_FLOAT", "input type");
            expect(signature.getJSONArray("outputs").getJSONObject(0).getString("name"), "scores", "output name");
            expect(signature.containsKey("signature_name"), true, "signature_name present");
        });

        for (String name : Arrays.asList("Gzip", "Zlib", "Snappy", "Zstd", "LZ4Frame", "LZ4")) {
            String codec = name.toLowerCase();
            String configured = codec.startsWith("lz4") ? "digits_lz4" : "digits_" + codec;
            CASES.put("compress_" + codec + "_configured", () -> compressed(configured, name));
            if (!name.equals("LZ4")) CASES.put("compress_" + codec + "_sniffed", () -> compressed("digits", name));
        }
        CASES.put("compress_java_is_compressed", () -> checkDigits(client("digits_java").setIsCompressed(true), Plan.rows()));
        CASES.put("decompressor_auto", () -> decompressor("Auto"));
        CASES.put("decompressor_zlib", () -> decompressor("Zlib"));

        CASES.put("auth_wrong_token", () ->
                checkAttempts("digits", 401, () -> checkDigits(client("digits").setToken("not-the-token"), 1)));
        CASES.put("auth_missing_token", () ->
                checkAttempts("digits", 401, () -> checkDigits(client("digits").setToken(null), 1)));
        CASES.put("auth_plain_token", () -> {
            PredictClient client = client("digits").setToken(null);
            Newer.call(client, "addExtraHeaders", Collections.singletonMap("Authorization", Plan.token("digits")));
            checkDigits(client, 1);
        });
        CASES.put("auth_open_service", () ->
                Tensors.checkTf(client("echo").setToken(null).predict(Tensors.tfRequest()), "int32"));

        CASES.put("attempts_408", () -> checkAttempts("hasty", 408, () -> slow("hasty")));
        CASES.put("attempts_429", () -> {
            try {
                checkDigits(client("limited").setRetryCount(0), 1); // takes the one request of this second
            } catch (Exception e) {
                // it was taken already
            }
            checkAttempts("limited", 429, () -> checkDigits(client("limited"), 1));
        });
        CASES.put("attempts_450", Client::queueFull);
        CASES.put("attempts_500", () -> checkAttempts("failing", 500, () -> {
            TorchRequest request = new TorchRequest();
            request.addFeed(0, TorchDataType.DT_FLOAT, new long[] {2}, new float[] {1, 2});
            request.addFeed(1, TorchDataType.DT_INT64, new long[] {1}, new long[] {3});
            client("failing").predict(request);
        }));
        CASES.put("attempts_503", () -> {
            if (!Plan.has("not_ready")) throw new Skip("nothing serves a model that is not ready");
            checkAttempts("not_ready", 503, () -> checkDigits(client("not_ready"), 1));
        });

        CASES.put("path_service", () -> checkDigits(client("digits").setModelName("digits/sub"), 1));
        CASES.put("path_request", () -> {
            PredictClient client = client("digits");
            Newer.call(client, "setRequestPath", "/sub");
            checkDigits(client, 1);
        });
        CASES.put("path_query", () -> {
            Object config = Newer.callConfig();
            Newer.call(config, "setRequestPath", "/sub");
            Map<String, String> query = new LinkedHashMap<>();
            query.put("uid", "1 2");
            query.put("n", null);
            query.put("\u4f60", "&=");
            Newer.call(config, "setQueryParams", query);
            checkScores((TorchResponse) Newer.call(client("digits"), "predict", digitsRequest(1), config), 1);
        });
        CASES.put("endpoint_slash", () -> checkDigits(client("digits").setEndpoint(Plan.address("digits") + "/"), 1));
        CASES.put("endpoint_prefix", () ->
                checkDigits(client("digits").setEndpoint(Plan.address("digits") + "/stage"), 1));
        CASES.put("direct_mode", () -> checkDigits(client("digits").setDirectEndpoint(Plan.address("digits")), 1));
        try {
            Class.forName("sdksuite.Recommend").getDeclaredMethod("addTo", Map.class).invoke(null, CASES);
        } catch (ReflectiveOperationException e) { // the class is only there where the SDK has such requests
            for (String name : Plan.torchrec().getJSONArray("cases").toArray(new String[0])) {
                CASES.put(name, () -> {
                    throw new Newer.Missing("TorchRecRequest");
                });
            }
        }
    }

    static final class Skip extends Exception {
        Skip(String reason) {
            super(reason);
        }
    }

    public static void main(String[] args) {
        // The SDK remembers discovered addresses under the home folder; those of an earlier run are wrong by now.
        System.setProperty("user.home", Paths.get(System.getenv("SDK_PLAN")).getParent().toString());
        CASES.forEach((name, check) -> {
            Boolean ok = true;
            String detail = "";
            try {
                check.run();
            } catch (Skip | Newer.Missing e) {
                ok = null;
                detail = e.getMessage();
            } catch (Throwable e) {
                ok = false;
                detail = String.valueOf(e);
            }
            System.out.println("{\"case\":" + JSON.toJSONString(name) + ",\"ok\":" + ok + ",\"detail\":" + JSON.toJSONString(detail) + "}");
        });
        System.exit(0); // the SDK's threads never end
    }

    static void expect(Object actual, Object expected, String what) {
        if (!expected.equals(actual)) throw new AssertionError(what + ": expected " + expected + ", got " + actual);
    }

    static PredictClient client(String service) {
        HttpConfig config = new HttpConfig();
        config.setReadTimeout(30_000);
        String token = Plan.has(service) ? Plan.token(service) : "";
        return new PredictClient(config)
                .setEndpoint(Plan.address(service)) // 2.0.3 puts http:// before whatever it is given
                .setModelName(service)
                .setToken(token.isEmpty() ? null : token);
    }

    private static TorchRequest digitsRequest(int rows) {
        TorchRequest request = new TorchRequest();
        request.addFeed(0, TorchDataType.DT_FLOAT, new long[] {rows, 64}, pixels(rows));
        return request;
    }

    private static float[] pixels(int rows) {
        float[] pixels = new float[rows * 64];
        for (int row = 0; row < rows; row++) System.arraycopy(Plan.row(row, "input"), 0, pixels, row * 64, 64);
        return pixels;
    }

    private static void checkDigits(PredictClient client, int rows) throws Exception {
        checkScores(client.predict(digitsRequest(rows)), rows);
    }

    private static void checkScores(TorchResponse response, int rows) {
        checkScores(response.getTensorShape(0), response.getFloatVals(0), rows, "torchScores");
    }

    private static void checkScores(List<Long> shape, List<Float> values, int rows, String key) {
        expect(shape, Arrays.asList((long) rows, 10L), "shape");
        expect(values.size(), rows * 10, "values");
        for (int row = 0; row < rows; row++) {
            float[] expected = Plan.row(row, key);
            List<Float> scores = values.subList(row * 10, row * 10 + 10);
            for (int i = 0; i < 10; i++) {
                float difference = Math.abs(scores.get(i) - expected[i]);
                if (!(difference <= TOLERANCE)) throw new AssertionError("row " + row + ": scores differ by " + difference);
            }
            expect(scores.indexOf(Collections.max(scores)), Plan.label(row), "label of row " + row);
        }
    }

    private static void tfDigits(String service, int rows, String signatureName) throws Exception {
        TFRequest request = new TFRequest();
        if (signatureName != null) request.setSignatureName(signatureName);
        request.addFeed("images", TFDataType.DT_FLOAT, new long[] {rows, 64}, pixels(rows));
        TFResponse response = client(service).predict(request);
        checkScores(response.getTensorShape("scores"), response.getFloatVals("scores"), rows, "tfScores");
    }

    @SuppressWarnings("unchecked") // the getters of the message the SDK returns
    private static void mapInputs() throws Exception {
        TorchRequest request = new TorchRequest();
        Newer.call(request, "addFeedMap", "image", TorchDataType.DT_FLOAT, new long[] {1, 64}, pixels(1));
        Map<String, Object> outputs = (Map<String, Object>) Newer.call(client("digits").predict(request), "getMapOutputs");
        Object scores = outputs.get("scores");
        if (scores == null) throw new AssertionError("map_outputs holds " + outputs.keySet());
        List<Long> shape = (List<Long>) Newer.call(Newer.call(scores, "getArrayShape"), "getDimList");
        checkScores(shape, (List<Float>) Newer.call(scores, "getFloatValList"), 1, "torchScores");
    }

    private static void large() throws Exception {
        float[] values = new float[1_000_000];
        for (int i = 0; i < values.length; i++) values[i] = i / 2f;
        TorchResponse response = client("echo_torch").predict(Tensors.torchRequest(values));
        expect(response.getTensorShape(0), Arrays.asList((long) values.length), "shape");
        List<Float> received = response.getFloatVals(0);
        expect(received.size(), values.length, "values");
        for (int i = 0; i < values.length; i++) expect(received.get(i), values[i], "value " + i);
    }

    private static void threads() throws Exception {
        PredictClient client = client("digits");
        ExecutorService pool = Executors.newFixedThreadPool(8);
        List<Future<?>> turns = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            turns.add(pool.submit(() -> {
                for (int turn = 0; turn < 5; turn++) checkDigits(client, Plan.rows());
                return null;
            }));
        }
        pool.shutdown();
        for (Future<?> turn : turns) turn.get();
    }

    private static TorchResponse torchOut(int index) throws Exception {
        TorchRequest request = new TorchRequest();
        request.addFeed(0, TorchDataType.DT_FLOAT, new long[] {4}, new float[] {0, 1, 2.5f, 300});
        TorchResponse response = client("torch_out").predict(request);
        expect(response.getTensorShape(index), index == 3 ? Collections.emptyList() : Arrays.asList(4L), "shape");
        return response;
    }

    private static void compressed(String service, String compressor) throws Exception {
        PredictClient client = client(service);
        Newer.call(client, "setCompressor", Newer.compressor(compressor));
        checkDigits(client, Plan.rows());
    }

    private static void decompressor(String name) throws Exception {
        PredictClient client = client("digits");
        Newer.call(client, "setDecompressor", Newer.compressor(name));
        checkDigits(client, 1);
    }

    private static List<Float> slow(String service) throws Exception {
        return slow(service, 1);
    }

    private static List<Float> slow(String service, long times) throws Exception {
        TorchRequest request = new TorchRequest();
        request.addFeed(0, TorchDataType.DT_INT64, new long[] {1}, new long[] {times * Plan.SLOW_TURNS});
        request.addFeed(1, TorchDataType.DT_FLOAT, new long[] {1}, new float[] {SCALAR});
        return client(service).predict(request).getFloatVals(0);
    }

    private static void queueFull() throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(2);
        List<Future<List<Float>>> held = new ArrayList<>(); // one runs, one waits
        for (int i = 0; i < 2; i++) {
            held.add(pool.submit(() -> slow("narrow", 5))); // until the other has come, however busy the machine
            Thread.sleep(200);
        }
        try {
            checkAttempts("narrow", 450, () -> slow("narrow"));
        } finally {
            pool.shutdown();
            pool.awaitTermination(30, TimeUnit.SECONDS);
        }
        for (Future<List<Float>> result : held) expect(result.get(), Arrays.asList(SCALAR), "a request that held a place");
    }

    static void checkAttempts(String service, int status, Check call) throws Exception {
        int before = Plan.answered(service, status);
        try {
            call.run();
        } catch (Exception e) {
            // 2.0.3 throws a plain Exception with the body of the answer, and no status
            if (e instanceof HttpException) expect(((HttpException) e).getCode(), status, "status");
            else expect(String.valueOf(e.getMessage()).contains(Plan.address(service)), true, "message names the URL (" + e + ")");
            expect(Plan.answered(service, status) - before, Plan.attempts(status), "attempts answered " + status);
            return;
        }
        throw new AssertionError("expected " + status + ", got an answer");
    }
}
