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
