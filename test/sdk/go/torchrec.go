package main

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/pai-eas/eas-golang-sdk/eas"
)

func torchrecCases() []namedCase {
	return []namedCase{
		{"torchrec", func() { checkRecommended(recommend("recommender", torchrecRequest())) }},
		{"torchrec_java_page", javaPage},
		{"torchrec_tile_2", func() { checkRecommended(recommend("recommender_tile_2", torchrecRequest())) }},
		{"torchrec_tile_3", func() { checkRecommended(recommend("recommender_tile_3", torchrecRequest())) }},
		{"torchrec_debug_level", debugLevels},
		{"torchrec_item_features", itemFeatures},
		{"torchrec_recall", func() {
			request := torchrecRequest()
			checkRecalled(recommend("recommender_recall", request), 5)
			request.SetFaissNeighNum(20)
			checkRecalled(recommend("recommender_recall", request), 20)
		}},
		{"torchrec_recall_debug", func() {
			request := torchrecRequest()
			request.SetDebugLevel(102)
			response := recommend("recommender_recall", request)
			checkRecalled(response, 5)
			expect(response.GetTensorShapeMap("user_tower_emb"), []int64{1, int64(len(plan.Torchrec.Recall.UserTowerEmb))}, "shape of user_tower_emb")
			expect(len(response.Response.GenerateFeatures), 1, "generate_features")
		}},
		skipped("torchrec_pass_through", "no pass_through_data in this SDK"),
		{"torchrec_refused", refused},
		skipped("torchrec_log", "no meta_data and no PBLogData in this SDK"),
		{"torchrec_bypass", bypass},
	}
}

func recommend(service string, request eas.TorchRecRequest) *eas.TorchRecResponse {
	return must(client(service).TorchRecPredict(request))
}

// torchrecRequest is made as the processor's page makes it, with what the example's features read.
func torchrecRequest() eas.TorchRecRequest {
	request := eas.TorchRecRequest{}
	request.AddUserFeature("user_id", "u001d", "STRING")
	request.AddUserFeature("age", 12, "INT")
	request.AddUserFeature("weight", 129.8, "FLOAT")
	for _, item := range plan.Torchrec.ItemIds {
		request.AddItemId(item)
	}
	raw := []float64{0.24689289764507472, 0.005758482924454689, 0.6765301324940026, 0.18137273055602343}
	request.AddUserFeature("raw_3", raw, "list<double>")
	request.AddUserFeature("map_1", map[int32]int32{866: 4143, 1627: 2451}, "map<int,int>")
	request.AddUserFeature("map_2", map[int32]float32{0: 0.37845234405201145}, "map<int,float>")
	request.AddContextFeature("id_2", []int32{866}, "list<int>")
	request.AddContextFeature("id_2", []int32{7022, 1}, "list<int>")
	request.AddContextFeature("id_2", []int32{7022, 1}, "list<int>")
	request.AddUserFeature("click", [][]float32{{0.94433516, 0.49145547}, {0.94433516, 0.49145597}}, "list<list<float>>")
	return request
}

// javaPage is the page's other example, with the types that this SDK takes.
func javaPage() {
	request := eas.TorchRecRequest{}
	request.AddItemId("7033")
	request.AddUserFeature("user_id", 33981, "int")
	raw := []float64{0.24689289764507472, 0.005758482924454689, 0.6765301324940026, 0.18137273055602343}
	request.AddUserFeature("raw_3", raw, "List<double>")
	request.AddUserFeature("map_1", map[string]int32{"866": 4143, "1627": 2451}, "map<string,int>")
	request.AddUserFeature("click", [][]float32{{1.1, 2.2, 3.3}, {4.4, 5.5}}, "list<list<float>>")
	request.AddContextFeature("id_2", raw, "List<double>")
	request.AddContextFeature("id_2", raw, "List<double>")
	response := recommend("recommender", request)
	expect(response.Response.ItemIds, []string{"7033"}, "item_ids")
	for name := range plan.Torchrec.Outputs {
		expect(response.GetFloatValMap(name), []float32{plan.Torchrec.ItemEmptyScore}, name)
	}
	request.SetDebugLevel(1)
	features := recommend("recommender", request).Response.GenerateFeatures["7033"]
	expect(slices.Contains(strings.Split(features, " | "), "raw_3:0.2468929,0.005758483,0.6765301,0.18137273"), true, features)
}

func checkClose(actual, expected []float32, what string) {
	expect(len(actual), len(expected), what)
	for i, value := range expected {
		if difference := math.Abs(float64(actual[i] - value)); !(difference <= tolerance) {
			panic(fmt.Sprintf("%s[%d] is off by %v", what, i, difference))
		}
	}
}

func checkRecommended(response *eas.TorchRecResponse) {
	expect(response.Response.ItemIds, plan.Torchrec.ItemIds, "item_ids")
	for name, scores := range plan.Torchrec.Outputs {
		expect(response.GetTensorShapeMap(name), []int64{int64(len(scores))}, "shape of "+name)
		checkClose(response.GetFloatValMap(name), scores, name)
	}
}

func debugLevels() {
	for _, row := range plan.Torchrec.Levels {
		request := torchrecRequest()
		request.SetDebugLevel(row.Level)
		response := recommend("recommender", request)
		if row.Predicts {
			checkRecommended(response)
		}
		has := func(name string) bool { _, found := response.Response.MapOutputs[name]; return found }
		perItem := map[bool]int{true: len(plan.Torchrec.ItemIds)}
		expect(has("probs_ctr"), row.Predicts, fmt.Sprintf("outputs at %d", row.Level))
		expect(has("user_id.values"), row.Inputs, fmt.Sprintf("the model's inputs at %d", row.Level))
		expect(len(response.Response.RawFeatures), perItem[row.Raw], fmt.Sprintf("raw_features at %d", row.Level))
		expect(len(response.Response.GenerateFeatures), perItem[row.Generated], fmt.Sprintf("generate_features at %d", row.Level))
	}
}

func itemFeatures() {
	request := torchrecRequest()
	item := plan.Torchrec.Item
	request.RequestData.ItemIds = []string{item.ItemId, "brand new"}
	for range request.RequestData.ItemIds {
		request.AddItemFeature("item_id", item.ItemId, "STRING")
		request.AddItemFeature("category", item.Category, "STRING")
		request.AddItemFeature("category_id", item.CategoryId, "STRING")
		request.AddItemFeature("tags", item.Tags, "list<string>")
		request.AddItemFeature("price", item.Price, "DOUBLE")
	}
	response := recommend("recommender", request)
	for name, scores := range plan.Torchrec.Outputs {
		checkClose(response.GetFloatValMap(name), []float32{scores[0], scores[0]}, name)
	}
}

func checkRecalled(response *eas.TorchRecResponse, count int) {
	expect(response.Response.ItemIds, plan.Torchrec.Recall.ItemIds[:count], "item_ids")
	expect(response.GetTensorShapeMap("match_item_scores"), []int64{1, int64(count)}, "shape of match_item_scores")
	checkClose(response.GetFloatValMap("match_item_scores"), plan.Torchrec.Recall.Scores[:count], "match_item_scores")
}

func refused() {
	request := torchrecRequest()
	request.AddContextFeature("hour", 9, "INT")
	checkAttempts("recommender", 400, func() error {
		_, err := client("recommender").TorchRecPredict(request)
		var predictError *eas.PredictError
		if errors.As(err, &predictError) && !strings.Contains(err.Error(), `context_features["hour"]`) {
			panic("the list is not named in " + err.Error())
		}
		return err
	})
}

func bypass() {
	request := eas.TorchRequest{}
	for name, tensor := range plan.Torchrec.Tensors {
		if tensor.Dtype == "float" {
			request.AddFeedMapFloat32(name, tensor.Shape, converted[float32](tensor.Data))
		} else {
			request.AddFeedMapInt64(name, tensor.Shape, converted[int64](tensor.Data))
		}
	}
	response := must(client("recommender_bypass").TorchPredict(request))
	for name, scores := range plan.Torchrec.Outputs {
		checkClose(response.GetFloatValMap(name), scores, name)
	}
}

func converted[T float32 | int64](values []float64) []T {
	made := make([]T, len(values))
	for i, value := range values {
		made[i] = T(value)
	}
	return made
}
