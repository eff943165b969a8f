package sdksuite;

import com.aliyun.openservices.eas.predict.request.TFDataType;
import com.aliyun.openservices.eas.predict.request.TFRequest;
import com.aliyun.openservices.eas.predict.request.TorchDataType;
import com.aliyun.openservices.eas.predict.request.TorchRequest;
import com.aliyun.openservices.eas.predict.response.TFResponse;
import com.aliyun.openservices.eas.predict.response.TorchResponse;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The echo models: what is sent as each dtype, and what must come back. */
final class Tensors {
    static final float SCALAR = 2.5f;
    /** Inputs of echo-torch.onnx by position; a scalar follows. */
    static final List<String> TORCH = Arrays.asList("float", "double", "uint8", "int8", "int16", "int32", "int64");
    /** Inputs of echo.onnx by name; a scalar follows. */
    static final List<String> TF =
            Arrays.asList("float", "double", "int32", "int64", "uint8", "int8", "int16", "uint16", "bool", "string", "float16");

    static TorchRequest torchRequest() {
        return torchRequest(floats("float"));
    }

    /** With other floats than the plan's. */
    static TorchRequest torchRequest(float[] floats) {
        TorchRequest request = new TorchRequest();
        for (int i = 0; i < TORCH.size(); i++) {
            String dtype = TORCH.get(i);
            TorchDataType type = TorchDataType.valueOf("DT_" + dtype.toUpperCase());
            long[] shape = {Plan.tensor(dtype).length};
            if (dtype.equals("float")) request.addFeed(i, type, new long[] {floats.length}, floats);
            else if (dtype.equals("double")) request.addFeed(i, type, shape, doubles(dtype));
            else if (dtype.equals("int64")) request.addFeed(i, type, shape, longs(dtype));
            else request.addFeed(i, type, shape, ints(dtype));
        }
        request.addFeed(TORCH.size(), TorchDataType.DT_FLOAT, new long[0], new float[] {SCALAR});
        return request;
    }

    static TFRequest tfRequest() {
        TFRequest request = new TFRequest();
        for (String dtype : TF) {
            String name = "in_" + dtype;
            TFDataType type = dtype.equals("float16") ? TFDataType.DT_HALF : TFDataType.valueOf("DT_" + dtype.toUpperCase());
            long[] shape = {Plan.tensor(dtype).length};
            if (dtype.startsWith("float")) request.addFeed(name, type, shape, floats(dtype));
            else if (dtype.equals("double")) request.addFeed(name, type, shape, doubles(dtype));
            else if (dtype.equals("int64")) request.addFeed(name, type, shape, longs(dtype));
            else if (dtype.equals("bool")) request.addFeed(name, type, shape, booleans(dtype));
            else if (dtype.equals("string")) request.addFeed(name, type, shape, Plan.tensor(dtype));
            else request.addFeed(name, type, shape, ints(dtype));
        }
        request.addFeed("in_scalar", TFDataType.DT_FLOAT, new long[0], new float[] {SCALAR});
        return request;
    }

    static void checkTorch(TorchResponse response, int index, String dtype) {
        List<?> values;
        if (dtype.equals("float")) values = response.getFloatVals(index);
        else if (dtype.equals("double")) values = response.getDoubleVals(index);
        else if (dtype.equals("int64")) values = response.getInt64Vals(index);
        else values = response.getIntVals(index);
        check(dtype, response.getTensorShape(index), values);
    }

    static void checkTf(TFResponse response, String dtype) {
        String name = "out_" + dtype;
        List<?> values;
        if (dtype.startsWith("float")) values = response.getFloatVals(name);
        else if (dtype.equals("double")) values = response.getDoubleVals(name);
        else if (dtype.equals("int64")) values = response.getInt64Vals(name);
        else if (dtype.equals("bool")) values = response.getBoolVals(name);
        else if (dtype.equals("string")) values = response.getStringVals(name);
        else values = response.getIntVals(name);
        check(dtype, response.getTensorShape(name), values);
    }

    /** Boxed numbers compare as bits: NaN equals NaN, and -0 differs from 0. */
    private static void check(String dtype, List<Long> shape, List<?> values) {
        List<Object> sent = new ArrayList<>();
        if (dtype.startsWith("float")) for (float v : floats(dtype)) sent.add(v);
        else if (dtype.equals("double")) for (double v : doubles(dtype)) sent.add(v);
        else if (dtype.equals("int64")) for (long v : longs(dtype)) sent.add(v);
        else if (dtype.equals("bool")) for (boolean v : booleans(dtype)) sent.add(v);
        else if (dtype.equals("string")) sent.addAll(Arrays.asList(Plan.tensor(dtype)));
        else for (int v : ints(dtype)) sent.add(v);
        Client.expect(shape, Arrays.asList((long) sent.size()), "shape");
        Client.expect(new ArrayList<Object>(values), sent, "values");
    }

    private static float[] floats(String dtype) {
        String[] text = Plan.tensor(dtype);
        float[] values = new float[text.length];
        for (int i = 0; i < text.length; i++) values[i] = Float.parseFloat(text[i]);
        return values;
    }

    private static double[] doubles(String dtype) {
        return Arrays.stream(Plan.tensor(dtype)).mapToDouble(Double::parseDouble).toArray();
    }

    private static int[] ints(String dtype) {
        return Arrays.stream(Plan.tensor(dtype)).mapToInt(Integer::parseInt).toArray();
    }

    private static long[] longs(String dtype) {
        return Arrays.stream(Plan.tensor(dtype)).mapToLong(Long::parseLong).toArray();
    }

    private static boolean[] booleans(String dtype) {
        String[] text = Plan.tensor(dtype);
        boolean[] values = new boolean[text.length];
        for (int i = 0; i < text.length; i++) values[i] = Boolean.parseBoolean(text[i]);
        return values;
    }

    private Tensors() {}
}
