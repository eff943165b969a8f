package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

type digit struct {
	Input       []float32 `json:"input"`
	Label       int       `json:"label"`
	TorchScores []float32 `json:"torchScores"`
	TfScores    []float32 `json:"tfScores"`
}

// plan is what the runner says: where the services are, what to send and what to expect.
var plan = readPlan()

type planFile struct {
	Host     string `json:"host"`
	Services map[string]struct {
		Port  int    `json:"port"`
		Token string `json:"token"`
	} `json:"services"`
	Digits    []digit             `json:"digits"`
	Tensors   map[string][]string `json:"tensors"`
	SlowTurns int64               `json:"slowTurns"`
	Attempts  map[string]int      `json:"attempts"`
	Torchrec  torchrecPlan        `json:"torchrec"`
}

// torchrecPlan is the request of the TorchEasyRec processor's page, and what is expected of it.
type torchrecPlan struct {
	ItemIds []string             `json:"item_ids"`
	Outputs map[string][]float32 `json:"outputs"`
	Item    struct {
		ItemId     string   `json:"item_id"`
		Category   string   `json:"category"`
		CategoryId string   `json:"category_id"`
		Tags       []string `json:"tags"`
		Price      float64  `json:"price"`
	} `json:"item"`
	ItemEmptyScore float32 `json:"itemEmptyScore"`
	Tensors        map[string]struct {
		Shape []int64   `json:"shape"`
		Dtype string    `json:"dtype"`
		Data  []float64 `json:"data"`
	} `json:"tensors"`
	Levels []struct {
		Level     int32 `json:"level"`
		Predicts  bool  `json:"predicts"`
		Inputs    bool  `json:"inputs"`
		Raw       bool  `json:"raw"`
		Generated bool  `json:"generated"`
	} `json:"levels"`
	Recall struct {
		ItemIds      []string  `json:"item_ids"`
		Scores       []float32 `json:"scores"`
		UserTowerEmb []float32 `json:"user_tower_emb"`
	} `json:"recall"`
}

func readPlan() planFile {
	text, err := os.ReadFile(os.Getenv("SDK_PLAN"))
	if err != nil {
		panic(err)
	}
	var read planFile
	if err := json.Unmarshal(text, &read); err != nil {
		panic(err)
	}
	return read
}

func address(service string) string {
	running, found := plan.Services[service]
	if !found {
		panic(fmt.Sprintf("service %s is not running", service))
	}
	return fmt.Sprintf("%s:%d", plan.Host, running.Port)
}

// answered is how many requests the service has answered with a status, by its own count.
func answered(service string, status int) int {
	time.Sleep(100 * time.Millisecond) // the count follows the answer
	request := must(http.NewRequest(http.MethodGet, "http://"+address(service)+"/metrics", nil))
	request.Header.Set("Authorization", plan.Services[service].Token)
	response := must(http.DefaultClient.Do(request))
	defer response.Body.Close()
	sum := 0.0
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "eas_requests_total") && strings.Contains(line, fmt.Sprintf("\"%d\"", status)) {
			sum += must(strconv.ParseFloat(line[strings.LastIndex(line, " ")+1:], 64))
		}
	}
	return int(sum)
}
