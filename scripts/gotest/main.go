// Command gotest runs "go test" with the given arguments, shows a line for each
// package and the output of failed tests only, and ends with a count:
//
//	N passed, N failed, N skipped
//
// A package that fails without a failing test, because it does not compile or
// because it panics, counts as one failure.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

func main() {
	status, err := run(os.Args[1:], os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "gotest:", err)
		status = 2
	}
	os.Exit(status)
}

// run returns the exit status of go test, or 1 if it counted a failure.
func run(args []string, out io.Writer) (int, error) {
	cmd := exec.Command("go", append([]string{"test", "-json"}, args...)...) //nolint:gosec,noctx // that is its purpose; it ends with go test
	cmd.Stderr = os.Stderr
	events, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	s := newSummary(out)
	readErr := s.read(events)
	err = cmd.Wait()
	s.print()

	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return exit.ExitCode(), readErr
	case err == nil && s.failed > 0:
		return 1, readErr
	}
	return 0, errors.Join(err, readErr)
}

// event is one line of "go doc test2json" or of "go help buildjson".
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
}

// summary follows the events of a run.
type summary struct {
	out                     io.Writer
	passed, failed, skipped int
	// output of the tests that have not ended, by package and test.
	output map[[2]string]*strings.Builder
	// failures of each package.
	failures map[string]int
}

func newSummary(out io.Writer) *summary {
	return &summary{out: out, output: map[[2]string]*strings.Builder{}, failures: map[string]int{}}
}

// read takes events until the end. Lines that are none are shown as they are.
func (s *summary) read(events io.Reader) error {
	lines := bufio.NewReader(events)
	for {
		line, err := lines.ReadBytes('\n')
		var e event
		switch {
		case len(line) == 0:
		case json.Unmarshal(line, &e) != nil:
			fmt.Fprintf(s.out, "%s", line)
		default:
			s.take(e)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (s *summary) take(e event) {
	switch e.Action {
	case "build-output":
		fmt.Fprint(s.out, e.Output)
	case "output":
		s.takeOutput(e)
	case "pass", "fail", "skip":
		if e.Test == "" {
			s.endPackage(e)
		} else {
			s.endTest(e)
		}
	}
}

// takeOutput keeps a test's output until it is known whether it is wanted.
// Packages speak at once, except for the verdict that their line repeats.
func (s *summary) takeOutput(e event) {
	if e.Test == "" {
		if e.Output != "PASS\n" && e.Output != "FAIL\n" && !strings.Contains(e.Output, "[no test files]") {
			fmt.Fprint(s.out, e.Output)
		}
		return
	}
	key := [2]string{e.Package, e.Test}
	if s.output[key] == nil {
		s.output[key] = new(strings.Builder)
	}
	s.output[key].WriteString(e.Output)
}

func (s *summary) endTest(e event) {
	key := [2]string{e.Package, e.Test}
	switch e.Action {
	case "pass":
		s.passed++
	case "skip":
		s.skipped++
	case "fail":
		s.failed++
		s.failures[e.Package]++
		if text := s.output[key]; text != nil {
			fmt.Fprint(s.out, text.String())
		}
	}
	delete(s.output, key)
}

// endPackage shows what tests said that never ended: one of them panicked.
func (s *summary) endPackage(e event) {
	if e.Action == "fail" && s.failures[e.Package] == 0 {
		s.failed++
	}
	for key, text := range s.output {
		if key[0] != e.Package {
			continue
		}
		if e.Action == "fail" {
			fmt.Fprint(s.out, text.String())
		}
		delete(s.output, key)
	}
}

func (s *summary) print() {
	fmt.Fprintf(s.out, "%d passed, %d failed, %d skipped\n", s.passed, s.failed, s.skipped)
}
