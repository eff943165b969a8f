// Runs the cases of ../cases.ts through eas-golang-sdk. Prints one JSON line per case.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"sort"
	"time"

	"github.com/pai-eas/eas-golang-sdk/eas"
)

const tolerance = 1e-4

// skip is a reason why this SDK cannot run a case.
type skip string

type body func()

func main() {
	for _, c := range cases() {
		report(c.name, c.run)
	}
}

// report runs a case; a panic of the case, or of the SDK, is its failure.
func report(name string, run body) {
	line := struct {
		Case   string `json:"case"`
		OK     *bool  `json:"ok"`
		Detail string `json:"detail"`
	}{Case: name}
	ok := true
	line.OK = &ok
	cause := panicOf(run)
	if reason, is := cause.(skip); is {
		line.OK, line.Detail = nil, string(reason)
	} else if cause != nil {
		ok, line.Detail = false, fmt.Sprint(cause)
	}
	text, _ := json.Marshal(line)
	fmt.Println(string(text))
}

func panicOf(run body) (cause any) {
	defer func() { cause = recover() }()
	run()
	return nil
}

type namedCase struct {
	name string
	run  body
}

func cases() []namedCase {
	list := []namedCase{
		{"torch_single", func() { checkDigits(client("digits"), 1) }},
		{"trace_batch", func() { checkDigits(client("digits_trace"), len(plan.Digits)) }},
		{"script_batch", func() { checkDigits(client("digits_script"), len(plan.Digits)) }},
		{"torch_batch", func() { checkDigits(client("digits"), len(plan.Digits)) }},
		{"torch_map_inputs", mapInputs},
		{"torch_debug_level", func() {
			request := digitsRequest(1)
			request.RequestData.DebugLevel = 1
			checkTorchScores(must(client("digits").TorchPredict(*request)), 1)
		}},
		{"torch_fetch_order", torchFetchOrder},
		{"torch_scalar", func() {
			response := must(client("echo_torch").TorchPredict(*torchEchoRequest()))
			expect(len(response.GetTensorShape(len(torchOrder))), 0, "shape")
			expect(response.GetFloatVal(len(torchOrder)), []float32{scalar}, "values")
		}},
		{"torch_large", torchLarge},
		{"torch_threads", torchThreads},
		{"torch_after_refusal", torchAfterRefusal},
		{"torch_out_half", func() { expect(torchOut(0, eas.TorchType_DT_FLOAT).GetFloatVal(), []float32{0, 1, 2.5, 300}, "values") }},
		{"torch_out_bool", func() { expect(torchOut(1, eas.TorchType_DT_UINT8).GetIntVal(), []int32{0, 1, 1, 1}, "values") }},
		{"torch_out_uint16", func() { expect(torchOut(2, eas.TorchType_DT_INT32).GetIntVal(), []int32{0, 1, 2, 300}, "values") }},
		{"torch_out_rank0", func() { expect(torchOut(3, eas.TorchType_DT_FLOAT).GetFloatVal(), []float32{303.5}, "values") }},
		{"tf_single", func() { tfDigits("digits_tf", 1, "serving_default") }},
		{"savedmodel_batch", func() {
			tfDigits("digits_savedmodel", len(plan.Digits), "")
			tfDigits("digits_savedmodel", len(plan.Digits), "serving_default")
		}},
		{"savedmodel_signature_json", func() { signatureJSON("digits_savedmodel") }},
		{"tf_batch", func() { tfDigits("digits_tf", len(plan.Digits), "serving_default") }},
		{"tf_signature_name", func() { tfDigits("digits_tf", 2, ""); tfDigits("digits_tf", 2, "serving_default") }},
		{"tf_fetch", tfFetch},
		{"tf_scalar", func() {
			response := must(client("echo").TFPredict(*tfEchoRequest()))
			expect(len(response.GetTensorShape("out_scalar")), 0, "shape")
			expect(response.GetFloatVal("out_scalar"), []float32{scalar}, "values")
		}},
		{"tf_signature_json", func() { signatureJSON("digits_tf") }},
		{"compress_gzip_configured", func() { checkCompressed("digits_gzip", eas.CompressTypeGzip) }},
		{"compress_gzip_sniffed", func() { checkCompressed("digits", eas.CompressTypeGzip) }},
		{"compress_zlib_configured", func() { checkCompressed("digits_zlib", eas.CompressTypeZlib) }},
		{"compress_zlib_sniffed", func() { checkCompressed("digits", eas.CompressTypeZlib) }},
		{"auth_wrong_token", func() {
			wrong := client("digits")
			wrong.SetToken("not-the-token")
			checkAttempts("digits", 401, func() error { return predictDigits(wrong) })
		}},
		{"auth_missing_token", func() {
			checkAttempts("digits", 401, func() error { return predictDigits(tokenless("digits")) })
		}},
		{"auth_plain_token", func() {
			plain := tokenless("digits")
			plain.AddHeader("Authorization", plan.Services["digits"].Token)
			checkDigits(plain, 1)
		}},
		{"auth_open_service", func() {
			checkTF(must(tokenless("echo").TFPredict(*tfEchoRequest())), "int32")
		}},
		{"attempts_408", func() { checkAttempts("hasty", 408, func() error { return slow("hasty") }) }},
		{"attempts_429", func() {
			first := client("limited") // takes the one request of this second
			first.SetRetryCount(0)
			_ = predictDigits(first)
			checkAttempts("limited", 429, func() error { return predictDigits(client("limited")) })
		}},
		{"attempts_450", queueFull},
		{"attempts_500", func() {
			checkAttempts("failing", 500, func() error {
				request := eas.TorchRequest{}
				request.AddFeedFloat32(0, []int64{2}, []float32{1, 2})
				request.AddFeedInt64(1, []int64{1}, []int64{3})
				_, err := client("failing").TorchPredict(request)
				return err
			})
		}},
		{"attempts_503", func() {
			if _, running := plan.Services["not_ready"]; !running {
				panic(skip("nothing serves a model that is not ready"))
			}
			checkAttempts("not_ready", 503, func() error { return predictDigits(client("not_ready")) })
		}},
		{"direct_mode", func() {
			direct := eas.NewPredictClient(address("digits"), "digits")
			direct.SetEndpointType(eas.EndpointTypeDirect)
			direct.SetToken(plan.Services["digits"].Token)
			start(direct)
			time.Sleep(500 * time.Millisecond) // discovery runs beside the first call, which does not wait for it
			checkDigits(direct, 1)
		}},
		{"path_service", func() {
			sub := eas.NewPredictClient(address("digits"), "digits/sub")
			sub.SetToken(plan.Services["digits"].Token)
			start(sub)
			checkDigits(sub, 1)
		}},
		{"path_request", func() { checkPath("sub") }},
		{"path_query", func() { checkPath("/sub?uid=1+2&n&%E4%BD%A0=%26%3D") }},
		{"endpoint_slash", func() { checkEndpoint("http://" + address("digits") + "/") }},
		{"endpoint_prefix", func() { checkEndpoint("http://" + address("digits") + "/stage") }},
	}
	list = append(list, torchrecCases()...)
	for _, dtype := range torchOrder {
		list = append(list, namedCase{"torch_dtype_" + dtype, func() { torchDtype(dtype) }})
	}
	for dtype := range plan.Tensors {
		list = append(list, namedCase{"tf_dtype_" + dtype, func() {
			checkTF(must(client("echo").TFPredict(*tfEchoRequest())), dtype)
		}})
	}
	for _, codec := range []string{"snappy", "zstd", "lz4frame"} {
		reason := "this SDK compresses with Gzip and Zlib alone"
		list = append(list, skipped("compress_"+codec+"_configured", reason), skipped("compress_"+codec+"_sniffed", reason))
	}
	list = append(list, skipped("compress_lz4_configured", "this SDK compresses with Gzip and Zlib alone"))
	for _, name := range []string{"easyrec", "easyrec_refused"} {
		list = append(list, skipped(name, "no EasyRec request in this SDK"))
	}
	for _, name := range []string{"compress_java_is_compressed", "decompressor_auto", "decompressor_zlib"} {
		list = append(list, skipped(name, "a setting of the Java SDK"))
	}
	return list
}

func skipped(name, reason string) namedCase {
	return namedCase{name, func() { panic(skip(reason)) }}
}

func expect(actual, expected any, what string) {
	if !reflect.DeepEqual(actual, expected) {
		panic(fmt.Sprintf("%s: expected %v, got %v", what, expected, actual))
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err.Error())
	}
	return value
}

func start(client *eas.PredictClient) *eas.PredictClient {
	client.SetTimeout(30_000)
	if err := client.Init(); err != nil {
		panic(err.Error())
	}
	return client
}

func tokenless(service string) *eas.PredictClient {
	return start(eas.NewPredictClient("http://"+address(service), service))
}

func client(service string) *eas.PredictClient {
	made := tokenless(service)
	made.SetToken(plan.Services[service].Token)
	return made
}

// Digits

func digitsRequest(rows int) *eas.TorchRequest {
	request := &eas.TorchRequest{}
	request.AddFeedFloat32(0, []int64{int64(rows), 64}, pixels(rows))
	return request
}

func pixels(rows int) []float32 {
	var all []float32
	for _, row := range plan.Digits[:rows] {
		all = append(all, row.Input...)
	}
	return all
}

func predictDigits(client *eas.PredictClient) error {
	_, err := client.TorchPredict(*digitsRequest(1))
	return err
}

func checkDigits(client *eas.PredictClient, rows int) {
	checkTorchScores(must(client.TorchPredict(*digitsRequest(rows))), rows)
}

func checkTorchScores(response *eas.TorchResponse, rows int) {
	checkScores(response.GetTensorShape(0), response.GetFloatVal(0), rows, func(row digit) []float32 { return row.TorchScores })
}

func checkScores(shape []int64, values []float32, rows int, expected func(digit) []float32) {
	expect(shape, []int64{int64(rows), 10}, "shape")
	expect(len(values), rows*10, "values")
	for index, row := range plan.Digits[:rows] {
		scores := values[index*10 : index*10+10]
		best := 0
		for i, score := range scores {
			if difference := math.Abs(float64(score - expected(row)[i])); !(difference <= tolerance) {
				panic(fmt.Sprintf("row %d: scores differ by %v", index, difference))
			}
			if score > scores[best] {
				best = i
			}
		}
		expect(best, row.Label, fmt.Sprintf("label of row %d", index))
	}
}

func tfDigits(service string, rows int, signatureName string) {
	request := eas.TFRequest{}
	request.SetSignatureName(signatureName)
	request.AddFeedFloat32("images", []int64{int64(rows), 64}, pixels(rows))
	response := must(client(service).TFPredict(request))
	checkScores(response.GetTensorShape("scores"), response.GetFloatVal("scores"), rows, func(row digit) []float32 { return row.TfScores })
}

func mapInputs() {
	request := eas.TorchRequest{}
	request.AddFeedMapFloat32("image", []int64{1, 64}, pixels(1))
	response := must(client("digits").TorchPredict(request))
	checkScores(response.GetTensorShapeMap("scores"), response.GetFloatValMap("scores"), 1, func(row digit) []float32 { return row.TorchScores })
}

func signatureJSON(service string) {
	var signature struct {
		Inputs        []struct{ Name, Type string }
		Outputs       []struct{ Name, Type string }
		SignatureName *string `json:"signature_name"`
	}
	text := must(client(service).StringPredict(""))
	if err := json.Unmarshal([]byte(text), &signature); err != nil {
		panic(err.Error())
	}
	expect(signature.Inputs[0].Name, "images", "input name")
	expect(signature.Inputs[0].Type, "DT_FLOAT", "input type")
	expect(signature.Outputs[0].Name, "scores", "output name")
	expect(signature.SignatureName != nil, true, "signature_name present")
}

func checkCompressed(service, compressType string) {
	compressing := client(service)
	compressing.SetCompressType(compressType)
	checkDigits(compressing, len(plan.Digits))
}

func checkPath(path string) {
	sub := client("digits")
	sub.SetRequestPath(path)
	checkDigits(sub, 1)
}

func checkEndpoint(endpoint string) {
	made := eas.NewPredictClient(endpoint, "digits")
	made.SetToken(plan.Services["digits"].Token)
	checkDigits(start(made), 1)
}

// Attempts

func checkAttempts(service string, status int, call func() error) {
	before := answered(service, status)
	err := call()
	var predictError *eas.PredictError
	if !errors.As(err, &predictError) {
		panic(fmt.Sprintf("expected %d, got %v", status, err))
	}
	expect(predictError.Code, status, "status")
	expect(answered(service, status)-before, plan.Attempts[fmt.Sprint(status)], fmt.Sprintf("attempts answered %d", status))
}

func slow(service string) error { return slowTimes(service, 1) }

func slowTimes(service string, times int64) error {
	request := eas.TorchRequest{}
	request.AddFeedInt64(0, []int64{1}, []int64{times * plan.SlowTurns})
	request.AddFeedFloat32(1, []int64{1}, []float32{scalar})
	response, err := client(service).TorchPredict(request)
	if err == nil && !reflect.DeepEqual(response.GetFloatVal(0), []float32{scalar}) {
		return fmt.Errorf("slow.onnx gave %v", response.GetFloatVal(0))
	}
	return err
}

func queueFull() {
	held := make(chan error, 2) // one runs, one waits
	for range 2 {
		go func() { held <- slowTimes("narrow", 5) }() // until the other has come, however busy the machine
		time.Sleep(200 * time.Millisecond)
	}
	failure := panicOf(func() { checkAttempts("narrow", 450, func() error { return slow("narrow") }) })
	for range 2 {
		if err := <-held; err != nil && failure == nil {
			failure = fmt.Sprintf("a request that held a place: %v", err)
		}
	}
	if failure != nil {
		panic(failure)
	}
}

// Tensors

func torchDtype(dtype string) {
	response := must(client("echo_torch").TorchPredict(*torchEchoRequest()))
	for index, name := range torchOrder {
		if name == dtype {
			checkTorchArray(response.Response.Outputs[index], dtype)
		}
	}
}

func torchLarge() {
	floats := make([]float32, 1_000_000)
	for i := range floats {
		floats[i] = float32(i) / 2
	}
	request := torchEchoRequest()
	request.RequestData.Inputs[0].ArrayShape.Dim = []int64{int64(len(floats))}
	request.RequestData.Inputs[0].FloatVal = floats
	response := must(client("echo_torch").TorchPredict(*request))
	expect(response.GetTensorShape(0), []int64{int64(len(floats))}, "shape")
	expect(reflect.DeepEqual(response.GetFloatVal(0), floats), true, "the values that were sent")
}

func torchThreads() {
	shared := client("digits")
	failures := make(chan any, 8)
	for range 8 {
		go func() {
			failures <- panicOf(func() {
				for range 5 {
					checkDigits(shared, len(plan.Digits))
				}
			})
		}()
	}
	for range 8 {
		if failure := <-failures; failure != nil {
			panic(failure)
		}
	}
}

func torchAfterRefusal() {
	made := client("digits")
	for range 3 {
		checkAttempts("digits", 400, func() error {
			refused := eas.TorchRequest{}
			refused.AddFeedFloat32(0, []int64{1, 3}, []float32{1, 2, 3})
			_, err := made.TorchPredict(refused)
			return err
		})
		checkDigits(made, 1)
	}
}

func torchFetchOrder() {
	request := torchEchoRequest()
	request.RequestData.OutputFilter = []int32{2, 0}
	response := must(client("echo_torch").TorchPredict(*request))
	expect(len(response.Response.Outputs), 2, "outputs")
	checkTorchArray(response.Response.Outputs[0], "uint8")
	checkTorchArray(response.Response.Outputs[1], "float")
}

func tfFetch() {
	request := tfEchoRequest()
	request.AddFetch("out_int64")
	request.AddFetch("out_bool")
	response := must(client("echo").TFPredict(*request))
	var names []string
	for name := range response.Response.Outputs {
		names = append(names, name)
	}
	sort.Strings(names)
	expect(names, []string{"out_bool", "out_int64"}, "outputs")
	checkTF(response, "int64")
	checkTF(response, "bool")
}
