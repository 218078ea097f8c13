// Opens files and connects, and prints the function, file and line of each call as Go's runtime reports them. Waits for a
// line on stdin, so that the observer can get ready.
package main

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"syscall"
)

// Prints its caller's location, and the path or port of the call.
func report(name string) string {
	pcs := make([]uintptr, 1)
	runtime.Callers(2, pcs)
	frame, _ := runtime.CallersFrames(pcs).Next()
	fmt.Printf("%s\t%s\t%s\t%d\n", name, frame.Function, frame.File, frame.Line)
	return name
}

type server struct{ name string }

func (s *server) read() { os.Open(report(s.name)) }

// Inlined by the compiler.
func inlined(name string) { syscall.Open(report(name), 0, 0) }

func generic[T any](name string, _ T) { os.Open(report(name)) }

//go:noinline
func deep(levels int) {
	if levels > 0 {
		deep(levels - 1)
		return
	}
	os.ReadFile(report("/go-calls/deep"))
}

func main() {
	fmt.Scanln()
	(&server{"/go-calls/method"}).read()
	inlined("/go-calls/inlined")
	generic("/go-calls/generic", map[string]int{})
	deep(100)
	func() { os.Remove(report("/go-calls/closure")) }()
	done := make(chan bool)
	go func() {
		os.Rename(report("/go-calls/goroutine"), "/go-calls/other")
		close(done)
	}()
	<-done
	net.Dial("tcp", "127.0.0.1:"+report("9"))
}
