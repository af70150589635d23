package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"smolscope/gpu"
)

type recordCommand struct {
	Out      string        `short:"o" placeholder:"FILE" help:"File to write; by default gpu-readings-TIME.otlp.json in this folder."`
	RunID    string        `name:"run-id" placeholder:"ID" help:"Run that the readings are of. Without it they join what they are dropped or imported with."`
	GPU      string        `name:"gpu" default:"auto" placeholder:"auto|sim|replay:FILE" help:"Where readings come from."`
	GPUEvery time.Duration `name:"gpu-every" default:"1s" help:"Time between two readings, 100ms to 10s."`
	Command  []string      `arg:"" passthrough:"" help:"Command to run, with its arguments."`
}

// Help is the long help text.
func (recordCommand) Help() string {
	return `Runs a command, reads the GPUs meanwhile, and writes the readings as OTLP metrics with genai_otel's
names, to be imported with the traces of the command. It ends with the command's status.

Example: an evaluation with its energy

  smolscope record -o results/gpu.otlp.json -- smoltrace-eval --model llama3 && smolscope import results`
}

// errStatus is a status to end with, of a command that was run.
type errStatus int

func (e errStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// Run runs the command.
func (c *recordCommand) Run(ctx context.Context, std streams) error {
	if err := checkEvery(c.GPUEvery); err != nil {
		return err
	}
	command := c.Command
	if len(command) > 0 && command[0] == "--" {
		command = command[1:]
	}
	if len(command) == 0 {
		return errors.New("there is no command to run: smolscope record -- COMMAND")
	}
	source, err := gpu.Open(c.GPU)
	if err != nil {
		return fmt.Errorf("--gpu: %w", err)
	}
	defer source.Close()
	if c.Out == "" {
		c.Out = "gpu-readings-" + time.Now().UTC().Format("20060102T150405Z") + ".otlp.json"
	}

	reading, stop := context.WithCancel(ctx)
	defer stop()
	var readings []gpu.Reading
	var reason error
	read := make(chan struct{})
	go func() {
		defer close(read)
		_ = gpu.Sample(reading, source, c.GPUEvery, func(r gpu.Reading, err error) error {
			if err != nil {
				reason = err
			} else {
				readings = append(readings, r)
			}
			return nil
		})
	}()
	status := runCommand(ctx, command, std)
	stop()
	<-read
	// What the command did after the last reading counts too.
	if r, err := source.Read(ctx); err == nil && (len(readings) == 0 || r.Time.After(readings[len(readings)-1].Time)) {
		readings = append(readings, r)
	}
	if len(readings) < 2 {
		if reason == nil {
			reason = errors.New("the command was over before there were two")
		}
		fmt.Fprintf(std.err, "smolscope: no GPU readings were written: %v\n", reason)
		return status
	}
	name, err := c.write(readings)
	if err != nil {
		return errors.Join(status, err)
	}
	if name != c.Out {
		fmt.Fprintf(std.err, "smolscope: %s is there already and stays as it is\n", c.Out)
	}
	fmt.Fprintf(std.err, "smolscope: %d GPU readings written to %s\n", len(readings), name)
	for _, u := range gpu.Used(readings) {
		if joules, _ := u.Joules(); joules != nil {
			fmt.Fprintf(std.err, "smolscope: GPU %s, %s: %.1f J\n", u.ID, u.Name, *joules)
		}
	}
	return status
}

// runCommand runs a command with our streams, and passes on what is to end it.
func runCommand(ctx context.Context, command []string, std streams) error {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = std.in, std.out, std.err
	// A terminal sends an interrupt to both of us; the command decides what it means.
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		for {
			select {
			case s := <-signals:
				if s != os.Interrupt {
					_ = cmd.Process.Signal(s)
				}
			case <-ended:
				return
			}
		}
	}()
	err := cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		if code := exit.ExitCode(); code >= 0 {
			return errStatus(code)
		}
		if s, ok := exit.Sys().(syscall.WaitStatus); ok && s.Signaled() {
			return errStatus(128 + int(s.Signal())) // as shells say it
		}
	}
	return err
}

// write writes the readings, and returns the file's name: another one beside it where
// a file is there already.
func (c *recordCommand) write(readings []gpu.Reading) (name string, err error) {
	resource := map[string]string{"service.name": "smolscope", "smolscope.gpu.source": readings[0].Source}
	if host, err := os.Hostname(); err == nil {
		resource["host.name"] = host
	}
	if c.RunID != "" {
		resource["run.id"] = c.RunID
	}
	f, err := os.OpenFile(c.Out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, os.ErrExist) {
		f, err = os.CreateTemp(filepath.Dir(c.Out), "gpu-readings-*.otlp.json")
	}
	if err != nil {
		return "", err
	}
	return f.Name(), errors.Join(gpu.WriteOTLP(f, readings, resource), f.Close())
}
