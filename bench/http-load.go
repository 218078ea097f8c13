// Load for a server of HTTP: http-load ADDRESS REQUESTS REQUESTS_A_CONNECTION REQUESTS_A_SECOND. Sixteen connections at
// a time, each with its next request as soon as it has its answer; a rate of 0 does not hold them back.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const connections = 16

func number(arg int) int64 {
	value, err := strconv.ParseInt(os.Args[arg], 10, 64)
	if err != nil {
		panic(err)
	}
	return value
}

func main() {
	url := "http://" + os.Args[1] + "/"
	requests, perConnection, rate := number(2), number(3), number(4)
	begin := time.Now()
	var given atomic.Int64
	var workers sync.WaitGroup
	for range connections {
		workers.Go(func() {
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}}
			for own := int64(1); ; own++ {
				turn := given.Add(1)
				if turn > requests {
					return
				}
				if rate > 0 {
					time.Sleep(time.Until(begin.Add(time.Duration(turn) * time.Second / time.Duration(rate))))
				}
				request, err := http.NewRequest("GET", url, nil)
				if err != nil {
					panic(err)
				}
				request.Close = own%perConnection == 0
				answer, err := client.Do(request)
				if err != nil {
					panic(err)
				}
				io.Copy(io.Discard, answer.Body)
				answer.Body.Close()
			}
		})
	}
	workers.Wait()
	fmt.Printf("%.0f\n", float64(requests)/time.Since(begin).Seconds())
}
