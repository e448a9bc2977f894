package results

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// A Key names what a journal has a result or a failure of: a cell may be replayed
// for its hit ratio and for its running time.
type Key struct {
	CellID string
	Timed  bool
}

// A State is what the journals say of a cell. The zero value: nothing.
type State struct {
	Repeats int    // replays of its result; 0: it has none
	Time    int64  // ns that one of them took
	Failure string // why it failed, if it has no result
}

// ReadStates reads of all journals of a folder only which cells have a result, or
// a failure. It needs little memory for each, and reads journals that are being
// written.
func ReadStates(dir string) (map[Key]State, error) {
	names, err := filepath.Glob(filepath.Join(dir, journalFolder, "*.jsonl"))
	if err != nil {
		return nil, err
	}
	states := make(map[Key]State)
	for _, name := range names {
		f, err := os.Open(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read results: %w", err)
		}
		err = readStates(f, states)
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("read results %s: %w", name, err)
		}
	}
	return states, nil
}

func readStates(r io.Reader, states map[Key]State) error {
	b := bufio.NewReaderSize(r, 1<<16)
	for n := 1; ; n++ {
		text, err := b.ReadBytes('\n')
		if err == io.EOF {
			return nil // a line without its end is that of a process that was killed
		}
		if err != nil {
			return err
		}
		var l struct {
			Result *struct {
				CellID  string `json:"cell"`
				Timed   bool   `json:"timed"`
				Repeats int    `json:"repeats"`
				Replay  int64  `json:"replay_ns"`
			} `json:"result"`
			Failure *struct {
				CellID string `json:"cell"`
				Timed  bool   `json:"timed"`
				Error  string `json:"error"`
			} `json:"failure"`
		}
		if err := json.Unmarshal(text, &l); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		switch {
		case l.Result != nil:
			k := Key{l.Result.CellID, l.Result.Timed}
			states[k] = State{Repeats: max(1, l.Result.Repeats, states[k].Repeats), Time: l.Result.Replay}
		case l.Failure != nil:
			k := Key{l.Failure.CellID, l.Failure.Timed}
			if states[k].Repeats == 0 {
				states[k] = State{Failure: l.Failure.Error}
			}
		}
	}
}
