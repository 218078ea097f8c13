// Runs two commands, one of which does not exist. Waits for a line on stdin, so that the observer can get ready.
package main

import (
	"bufio"
	"os"
	"os/exec"
)

//go:noinline
func runCommand(path string) {
	command := exec.Command(path)
	command.Dir = "/"
	command.Run()
}

func main() {
	bufio.NewReader(os.Stdin).ReadString('\n')
	runCommand("/nowhere/command")
	runCommand("/bin/true")
}
