package main

import (
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// terminationLog is where a container says what became of it.
const terminationLog = "/dev/termination-log"

// act does one step after another, which are what a builder does as Kubernetes sees it:
//
//	say:TEXT       writes to the log
//	tell:TEXT      writes the termination message
//	need:FILE      fails unless the file is there
//	sleep:SECONDS  waits
//	trap:CODE      from here on ends with the code on SIGTERM
//	deaf:          from here on ignores SIGTERM
//	hog:           takes memory until somebody minds
//	fill:FILE      writes to the file until somebody minds
//	exit:CODE      ends
func act(steps []string) {
	for _, step := range steps {
		name, value, _ := strings.Cut(step, ":")
		number, _ := strconv.Atoi(value)
		switch name {
		case "say":
			fmt.Println(value)
		case "tell":
			must(os.WriteFile(terminationLog, []byte(value), 0o644))
		case "need":
			_, err := os.Stat(value)
			must(err)
		case "sleep":
			time.Sleep(time.Duration(number) * time.Second)
		case "trap":
			trap(number)
		case "deaf":
			signal.Ignore(syscall.SIGTERM)
		case "hog":
			hog()
		case "fill":
			fill(value)
		case "exit":
			os.Exit(number)
		default:
			must(fmt.Errorf("unknown step %q", step))
		}
	}
}

func must(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(2)
	}
}

func trap(code int) {
	terms := make(chan os.Signal, 1)
	signal.Notify(terms, syscall.SIGTERM)
	go func() {
		<-terms
		os.Exit(code)
	}()
}

const chunk = 4 << 20

func hog() {
	var kept [][]byte
	for {
		memory := make([]byte, chunk)
		for i := 0; i < len(memory); i += os.Getpagesize() {
			memory[i] = 1
		}
		kept = append(kept, memory)
		time.Sleep(time.Duration(len(kept)%2) * time.Millisecond)
	}
}

// fill stops writing at some point, so as not to fill the machine's disk if nobody minds.
func fill(path string) {
	const most = 256 << 20
	file, err := os.Create(path)
	must(err)
	for written := 0; written < most; written += chunk {
		_, err := file.Write(make([]byte, chunk))
		must(err)
	}
	time.Sleep(time.Hour)
}
