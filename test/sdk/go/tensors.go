package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/pai-eas/eas-golang-sdk/eas"
	"github.com/pai-eas/eas-golang-sdk/eas/types/tf_predict_protos"
	"github.com/pai-eas/eas-golang-sdk/eas/types/torch_predict_protos"
)

// The SDK has helpers for some dtypes; the message of a request is public, and carries the others.

const scalar = 2.5

var torchOrder = []string{"float", "double", "uint8", "int8", "int16", "int32", "int64"}

// values holds what is sent as one dtype, in the field of ArrayProto that carries it.
type values struct {
	floats  []float32
	doubles []float64
	ints    []int32
	longs   []int64
	bools   []bool
	strings [][]byte
}

func parse(dtype string) (v values) {
	for _, text := range plan.Tensors[dtype] {
		switch dtype {
		case "float", "float16":
			v.floats = append(v.floats, float32(must(strconv.ParseFloat(text, 32))))
		case "double":
			v.doubles = append(v.doubles, must(strconv.ParseFloat(text, 64)))
		case "int64":
			v.longs = append(v.longs, must(strconv.ParseInt(text, 10, 64)))
		case "bool":
			v.bools = append(v.bools, text == "true")
		case "string":
			v.strings = append(v.strings, []byte(text))
		default:
			v.ints = append(v.ints, int32(must(strconv.ParseInt(text, 10, 32))))
		}
	}
	return v
}

func shapeOf(dtype string) []int64 {
	return []int64{int64(len(plan.Tensors[dtype]))}
}

// enumName is the name of a dtype in ArrayDataType.
func enumName(dtype string) string {
	if dtype == "float16" {
		return "DT_HALF"
	}
	return "DT_" + strings.ToUpper(dtype)
}

func torchEchoRequest() *eas.TorchRequest {
	request := &eas.TorchRequest{}
	for index, dtype := range torchOrder {
		v, shape := parse(dtype), shapeOf(dtype)
		switch dtype {
		case "float":
			request.AddFeedFloat32(index, shape, v.floats)
		case "double":
			request.AddFeedFloat64(index, shape, v.doubles)
		case "int32":
			request.AddFeedInt32(index, shape, v.ints)
		case "int64":
			request.AddFeedInt64(index, shape, v.longs)
		default:
			request.AddFeedInt32(index, shape, v.ints)
			request.RequestData.Inputs[index].Dtype = torchType(dtype)
		}
	}
	request.AddFeedFloat32(len(torchOrder), []int64{}, []float32{scalar})
	return request
}

func torchType(dtype string) torch_predict_protos.ArrayDataType {
	return torch_predict_protos.ArrayDataType(torch_predict_protos.ArrayDataType_value[enumName(dtype)])
}

func tfEchoRequest() *eas.TFRequest {
	request := &eas.TFRequest{}
	for dtype := range plan.Tensors {
		v, shape, name := parse(dtype), shapeOf(dtype), "in_"+dtype
		switch dtype {
		case "float", "float16":
			request.AddFeedFloat32(name, shape, v.floats)
		case "double":
			request.AddFeedFloat64(name, shape, v.doubles)
		case "int64":
			request.AddFeedInt64(name, shape, v.longs)
		case "bool":
			request.AddFeedBool(name, shape, v.bools)
		case "string":
			request.AddFeedString(name, shape, v.strings)
		default:
			request.AddFeedInt32(name, shape, v.ints)
		}
		request.RequestData.Inputs[name].Dtype = tf_predict_protos.ArrayDataType(tf_predict_protos.ArrayDataType_value[enumName(dtype)])
	}
	request.AddFeedFloat32("in_scalar", []int64{}, []float32{scalar})
	return request
}

func torchOut(index int, dtype torch_predict_protos.ArrayDataType) *torch_predict_protos.ArrayProto {
	request := eas.TorchRequest{}
	request.AddFeedFloat32(0, []int64{4}, []float32{0, 1, 2.5, 300})
	response := must(client("torch_out").TorchPredict(request))
	array := response.Response.Outputs[index]
	expect(array.Dtype, dtype, "dtype")
	if index == 3 {
		expect(len(response.GetTensorShape(index)), 0, "rank")
	} else {
		expect(response.GetTensorShape(index), []int64{4}, "shape")
	}
	return array
}

func checkTorchArray(array *torch_predict_protos.ArrayProto, dtype string) {
	expect(array.Dtype, torchType(dtype), "dtype")
	check(dtype, array.ArrayShape.Dim, values{array.FloatVal, array.DoubleVal, array.IntVal, array.Int64Val, nil, nil})
}

func checkTF(response *eas.TFResponse, dtype string) {
	name := "out_" + dtype
	check(dtype, response.GetTensorShape(name), values{
		response.GetFloatVal(name), response.GetDoubleVal(name), response.GetIntVal(name),
		response.GetInt64Val(name), response.GetBoolVal(name), response.GetStringVal(name),
	})
}

func check(dtype string, shape []int64, received values) {
	expect(shape, shapeOf(dtype), "shape")
	expect(received.text(), parse(dtype).text(), "values")
}

// text is a comparable form: NaN equals NaN, and -0 differs from 0.
func (v values) text() string {
	var bits []uint64
	for _, value := range v.floats {
		bits = append(bits, uint64(math.Float32bits(value)))
	}
	for _, value := range v.doubles {
		bits = append(bits, math.Float64bits(value))
	}
	return fmt.Sprintf("%x %v %v %v %q", bits, v.ints, v.longs, v.bools, v.strings)
}
