package sdksuite;

import static sdksuite.Client.checkAttempts;
import static sdksuite.Client.client;
import static sdksuite.Client.expect;

import com.alibaba.fastjson.JSONArray;
import com.alibaba.fastjson.JSONObject;
import com.aliyun.openservices.eas.predict.proto.EasyRecPredictProtos;
import com.aliyun.openservices.eas.predict.proto.TorchPredictProtos.ArrayProto;
import com.aliyun.openservices.eas.predict.proto.TorchRecPredictProtos.PBLogData;
import com.aliyun.openservices.eas.predict.proto.TorchRecPredictProtos.PBResponse;
import com.aliyun.openservices.eas.predict.request.EasyRecRequest;
import com.aliyun.openservices.eas.predict.request.TorchDataType;
import com.aliyun.openservices.eas.predict.request.TorchRecRequest;
import com.aliyun.openservices.eas.predict.request.TorchRequest;
import com.aliyun.openservices.eas.predict.response.TorchResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The TorchEasyRec cases. Compiled only where the SDK has TorchRecRequest. */
final class Recommend {
    private static final JSONObject PLAN = Plan.torchrec();
    private static final List<String> ITEMS = PLAN.getJSONArray("item_ids").toJavaList(String.class);
    private static final JSONObject OUTPUTS = PLAN.getJSONObject("outputs");
    private static final List<Double> RAW =
            Arrays.asList(0.24689289764507472, 0.005758482924454689, 0.6765301324940026, 0.18137273055602343);

    static void addTo(Map<String, Client.Check> cases) {
        cases.put("torchrec", () -> checkRecommended(client("recommender").predict(request())));
        cases.put("torchrec_java_page", Recommend::javaPage);
        for (String tile : Arrays.asList("tile_2", "tile_3")) {
            cases.put("torchrec_" + tile, () -> checkRecommended(client("recommender_" + tile).predict(request())));
        }
        cases.put("torchrec_debug_level", Recommend::debugLevels);
        cases.put("torchrec_item_features", Recommend::itemFeatures);
        cases.put("torchrec_recall", () -> {
            TorchRecRequest request = request();
            checkRecalled(client("recommender_recall").predict(request), 5);
            request.setFaissNeighNum(20);
            checkRecalled(client("recommender_recall").predict(request), 20);
        });
        cases.put("torchrec_recall_debug", () -> {
            TorchRecRequest request = request();
            request.setDebugLevel(102);
            PBResponse response = client("recommender_recall").predict(request);
            checkRecalled(response, 5);
            long width = PLAN.getJSONObject("recall").getJSONArray("user_tower_emb").size();
            expect(shape(response.getMapOutputsMap().get("user_tower_emb")), Arrays.asList(1L, width), "shape of user_tower_emb");
            expect(response.getGenerateFeaturesMap().keySet(), Collections.singleton("u001d"), "keys of generate_features");
        });
        cases.put("torchrec_pass_through", () -> {
            PBResponse response = client("recommender").predict(request());
            expect(response.getPassThroughDataMap().keySet(), Collections.singleton("model_version"), "pass_through_data");
        });
        cases.put("torchrec_refused", () -> {
            TorchRecRequest request = request();
            request.addContextFeature("hour", 9, "INT");
            checkAttempts("recommender", 400, () -> {
                try {
                    client("recommender").predict(request);
                } catch (Exception e) {
                    expect(e.getMessage().contains("context_features[\"hour\"]"), true, "the list named in " + e);
                    throw e;
                }
            });
        });
        cases.put("torchrec_log", Recommend::log);
        cases.put("torchrec_bypass", Recommend::bypass);
        cases.put("easyrec", Recommend::easyrec);
        cases.put("easyrec_refused", () -> {
            EasyRecRequest request = easyrecRequest();
            request.addContextFeature("hour", Collections.singletonList(9));
            EasyRecPredictProtos.PBResponse response = client("recommender_easyrec").predict(request);
            expect(response.getStatusCode(), EasyRecPredictProtos.StatusCode.EXCEPTION, "status_code");
            expect(response.getErrorMsg().contains("context_features[\"hour\"]"), true, "the list named in " + response.getErrorMsg());
        });
    }

    /** As the processor's page makes it, with what the example's features read. */
    private static TorchRecRequest request() {
        TorchRecRequest request = new TorchRecRequest();
        for (String item : ITEMS) request.appendItemId(item);
        request.addUserFeature("user_id", "u001d", "STRING");
        request.addUserFeature("age", 12, "INT");
        request.addUserFeature("weight", 129.8f, "FLOAT");
        request.addUserFeature("raw_3", RAW, "List<double>");
        request.addUserFeature("map_1", idMap(), "map<string,int>");
        List<List<Float>> clicks = Arrays.asList(Arrays.asList(0.94433516f, 0.49145547f), Arrays.asList(0.94433516f, 0.49145597f));
        request.addUserFeature("click", clicks, "list<list<float>>");
        for (List<Integer> ids : Arrays.asList(Arrays.asList(866), Arrays.asList(7022, 1), Arrays.asList(7022, 1))) {
            request.addContextFeature("id_2", ids, "List<int>");
        }
        return request;
    }

    private static Map<String, Integer> idMap() {
        Map<String, Integer> map = new LinkedHashMap<>();
        map.put("866", 4143);
        map.put("1627", 2451);
        return map;
    }

    /** The page's own request in this language, word for word. */
    private static void javaPage() throws Exception {
        TorchRecRequest request = new TorchRecRequest();
        request.appendItemId("7033");
        request.addUserFeature("user_id", 33981, "int");
        request.addUserFeature("raw_3", RAW, "List<double>");
        request.addUserFeature("map_1", idMap(), "map<string,int>");
        request.addUserFeature("click", Arrays.asList(Arrays.asList(1.1f, 2.2f, 3.3f), Arrays.asList(4.4f, 5.5f)), "list<list<float>>");
        request.addContextFeature("id_2", RAW, "List<double>");
        request.addContextFeature("id_2", RAW, "List<double>");
        PBResponse response = client("recommender").predict(request);
        expect(new ArrayList<>(response.getItemIdsList()), Arrays.asList("7033"), "item_ids");
        for (String name : OUTPUTS.keySet()) {
            expect(response.getMapOutputsMap().get(name).getFloatValList(), Arrays.asList(PLAN.getFloat("itemEmptyScore")), name);
        }
        request.setDebugLevel(1);
        String features = client("recommender").predict(request).getGenerateFeaturesMap().get("7033");
        expect(Arrays.asList(features.split(" \\| ")).contains("raw_3:0.2468929,0.005758483,0.6765301,0.18137273"), true, features);
    }

    private static void debugLevels() throws Exception {
        for (Object element : PLAN.getJSONArray("levels")) {
            JSONObject row = (JSONObject) element;
            int level = row.getIntValue("level");
            boolean predicts = row.getBooleanValue("predicts");
            TorchRecRequest request = request();
            request.setDebugLevel(level);
            PBResponse response = client("recommender").predict(request);
            if (predicts) checkRecommended(response);
            expect(response.getMapOutputsMap().keySet().containsAll(OUTPUTS.keySet()), predicts, "outputs at " + level);
            expect(response.containsMapOutputs("user_id.values"), row.getBooleanValue("inputs"), "the model's inputs at " + level);
            expect(response.getRawFeaturesCount(), row.getBooleanValue("raw") ? ITEMS.size() : 0, "raw_features at " + level);
            expect(response.getGenerateFeaturesCount(), row.getBooleanValue("generated") ? ITEMS.size() : 0, "generate_features at " + level);
        }
    }

    private static void itemFeatures() throws Exception {
        TorchRecRequest request = request();
        JSONObject item = PLAN.getJSONObject("item");
        request.request.clearItemIds();
        for (String id : Arrays.asList(item.getString("item_id"), "brand new")) {
            request.appendItemId(id);
            for (String name : Arrays.asList("item_id", "category", "category_id")) {
                request.addItemFeature(name, item.getString(name), "STRING");
            }
            request.addItemFeature("tags", item.getJSONArray("tags").toJavaList(String.class), "list<string>");
            request.addItemFeature("price", item.getDouble("price"), "DOUBLE");
        }
        PBResponse response = client("recommender").predict(request);
        for (String name : OUTPUTS.keySet()) {
            Float first = OUTPUTS.getJSONArray(name).getFloat(0);
            checkClose(response.getMapOutputsMap().get(name), Arrays.asList(first, first), name);
        }
    }

    private static void log() throws Exception {
        TorchRecRequest request = request();
        request.setDebugLevel(100);
        request.addMetaData("request_id", "of-the-java-sdk");
        client("recommender").predict(request);
        Path file = null;
        for (int i = 0; file == null && i < 100; i++) {
            Thread.sleep(100);
            file = findLog(Paths.get(PLAN.getString("log")), "of-the-java-sdk_");
        }
        PBLogData log = PBLogData.parseFrom(Files.readAllBytes(file));
        expect(log.getRequest(), request.getRequest(), "the request");
        expect(log.getRawFeaturesMap().keySet(), new HashSet<>(ITEMS), "raw_features");
        expect(log.getGenerateFeaturesMap().keySet(), new HashSet<>(ITEMS), "generate_features");
    }

    private static Path findLog(Path folder, String prefix) throws Exception {
        if (!Files.isDirectory(folder)) return null;
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(path -> path.getFileName().toString().startsWith(prefix)).findFirst().orElse(null);
        }
    }

    private static void bypass() throws Exception {
        TorchRequest request = new TorchRequest();
        JSONObject tensors = PLAN.getJSONObject("tensors");
        for (String name : tensors.keySet()) {
            JSONObject tensor = tensors.getJSONObject(name);
            JSONArray data = tensor.getJSONArray("data");
            long[] shape = tensor.getJSONArray("shape").toJavaList(Long.class).stream().mapToLong(Long::longValue).toArray();
            if (tensor.getString("dtype").equals("float")) {
                float[] values = new float[data.size()];
                for (int i = 0; i < values.length; i++) values[i] = data.getFloatValue(i);
                request.addFeedMap(name, TorchDataType.DT_FLOAT, shape, values);
            } else {
                long[] values = new long[data.size()];
                for (int i = 0; i < values.length; i++) values[i] = data.getLongValue(i);
                request.addFeedMap(name, TorchDataType.DT_INT64, shape, values);
            }
        }
        TorchResponse response = client("recommender_bypass").predict(request);
        for (String name : OUTPUTS.keySet()) {
            checkClose(response.getMapOutputs().get(name), OUTPUTS.getJSONArray(name).toJavaList(Float.class), name);
        }
    }

    private static void checkRecommended(PBResponse response) {
        expect(new ArrayList<>(response.getItemIdsList()), ITEMS, "item_ids");
        for (String name : OUTPUTS.keySet()) {
            ArrayProto output = response.getMapOutputsMap().get(name);
            expect(shape(output), Arrays.asList((long) ITEMS.size()), "shape of " + name);
            checkClose(output, OUTPUTS.getJSONArray(name).toJavaList(Float.class), name);
        }
    }

    private static void checkRecalled(PBResponse response, int count) {
        JSONObject expected = PLAN.getJSONObject("recall");
        List<String> items = expected.getJSONArray("item_ids").toJavaList(String.class).subList(0, count);
        expect(new ArrayList<>(response.getItemIdsList()), items, "item_ids");
        ArrayProto scores = response.getMapOutputsMap().get("match_item_scores");
        expect(shape(scores), Arrays.asList(1L, (long) count), "shape of match_item_scores");
        checkClose(scores, expected.getJSONArray("scores").toJavaList(Float.class).subList(0, count), "match_item_scores");
    }

    private static List<Long> shape(ArrayProto tensor) {
        return tensor.getArrayShape().getDimList().stream().collect(Collectors.toList());
    }

    private static void checkClose(ArrayProto tensor, List<Float> expected, String what) {
        expect(tensor.getFloatValCount(), expected.size(), "values of " + what);
        for (int i = 0; i < expected.size(); i++) {
            float difference = Math.abs(tensor.getFloatVal(i) - expected.get(i));
            if (!(difference <= Client.TOLERANCE)) throw new AssertionError(what + "[" + i + "] is off by " + difference);
        }
    }

    private static EasyRecRequest easyrecRequest() {
        EasyRecRequest request = new EasyRecRequest();
        JSONObject user = PLAN.getJSONObject("easyrec").getJSONObject("user");
        for (String name : user.keySet()) request.addUserFeature(name, user.getString(name));
        for (Object id : PLAN.getJSONObject("easyrec").getJSONArray("item_ids")) request.appendItemId((String) id);
        return request;
    }

    private static void easyrec() throws Exception {
        EasyRecPredictProtos.PBResponse response = client("recommender_easyrec").predict(easyrecRequest());
        expect(response.getStatusCode(), EasyRecPredictProtos.StatusCode.OK, "status_code");
        JSONObject outputs = PLAN.getJSONObject("easyrec").getJSONObject("outputs");
        int row = 0;
        for (Object id : PLAN.getJSONObject("easyrec").getJSONArray("item_ids")) {
            List<Double> scores = response.getResultsMap().get(id).getScoresList();
            expect(scores.size(), response.getOutputsList().size(), "scores of an item");
            for (String name : outputs.keySet()) {
                double score = scores.get(response.getOutputsList().indexOf(name));
                double difference = Math.abs(score - outputs.getJSONArray(name).getDoubleValue(row));
                if (!(difference <= Client.TOLERANCE)) throw new AssertionError(name + " of " + id + " differs by " + difference);
            }
            row++;
        }
    }

    private Recommend() {}
}
