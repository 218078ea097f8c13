// Two HTTP servers in one process, which so accepts, connects, reads and writes: the first relays each body to the second
// on a new connection, the second answers with a page. Prints its process id and the address of the first.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
)

const size = 256 << 10

func serve(handler http.HandlerFunc) net.Listener {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go http.Serve(listener, handler)
	return listener
}

// Large enough that reads and writes take microseconds.
func copyLarge(to io.Writer, from io.Reader) {
	io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{from}, make([]byte, size))
}

func main() {
	page := []byte(strings.Repeat("a line of what was asked for\n", 1000))
	second := serve(func(w http.ResponseWriter, request *http.Request) {
		copyLarge(io.Discard, request.Body)
		w.Write(page)
	})
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, WriteBufferSize: size}}
	first := serve(func(w http.ResponseWriter, request *http.Request) {
		answer, err := client.Post("http://"+second.Addr().String(), "text/plain", request.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer answer.Body.Close()
		copyLarge(w, answer.Body)
	})
	fmt.Println(os.Getpid(), first.Addr())
	select {}
}
