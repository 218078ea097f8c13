// Opens files and connects from known places, and says of each which function, file and line it is, as Go's runtime
// knows it. Begins when it is told to, so that whoever observes it can get ready.
package main

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"syscall"
)

// Prints where it was called from, and the path or port by which the call is known there.
func tell(name string) string {
	pcs := make([]uintptr, 1)
	runtime.Callers(2, pcs)
	frame, _ := runtime.CallersFrames(pcs).Next()
	fmt.Printf("%s\t%s\t%s\t%d\n", name, frame.Function, frame.File, frame.Line)
	return name
}

type server struct{ name string }

func (s *server) read() { os.Open(tell(s.name)) }

// The compiler puts it into its caller.
func inlined(name string) { syscall.Open(tell(name), 0, 0) }

func generic[T any](name string, _ T) { os.Open(tell(name)) }

//go:noinline
func deep(levels int) {
	if levels > 0 {
		deep(levels - 1)
		return
	}
	os.ReadFile(tell("/go-calls/deep"))
}

func main() {
	fmt.Scanln()
	(&server{"/go-calls/method"}).read()
	inlined("/go-calls/inlined")
	generic("/go-calls/generic", map[string]int{})
	deep(100)
	func() { os.Remove(tell("/go-calls/closure")) }()
	done := make(chan bool)
	go func() {
		os.Rename(tell("/go-calls/goroutine"), "/go-calls/other")
		close(done)
	}()
	<-done
	net.Dial("tcp", "127.0.0.1:"+tell("9"))
}
