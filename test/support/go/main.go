// Checks what Rolecall signs and proves with an implementation that others wrote and many rely on: the note and tlog packages of Go's
// checksum database. Reads a JSON case on standard input, prints "ok" or what is wrong.
package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type input struct {
	Key         string   `json:"key"`
	Note        string   `json:"note"`
	Leaf        string   `json:"leaf"`
	Index       int64    `json:"index"`
	Inclusion   []string `json:"inclusion"`
	OldSize     int64    `json:"oldSize"`
	OldRoot     string   `json:"oldRoot"`
	Consistency []string `json:"consistency"`
}

func main() {
	if err := check(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("ok")
}

func check() error {
	var in input
	if err := json.NewDecoder(os.Stdin).Decode(&in); err != nil {
		return err
	}
	verifier, err := note.NewVerifier(in.Key)
	if err != nil {
		return fmt.Errorf("key: %w", err)
	}
	opened, err := note.Open([]byte(in.Note), note.VerifierList(verifier))
	if err != nil {
		return fmt.Errorf("note: %w", err)
	}
	lines := strings.Split(opened.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return fmt.Errorf("size: %w", err)
	}
	root, err := hashOf(lines[2])
	if err != nil {
		return fmt.Errorf("root: %w", err)
	}
	leaf, err := base64.StdEncoding.DecodeString(in.Leaf)
	if err != nil {
		return fmt.Errorf("leaf: %w", err)
	}
	inclusion, err := hashesOf(in.Inclusion)
	if err != nil {
		return err
	}
	if err := tlog.CheckRecord(inclusion, size, root, in.Index, tlog.RecordHash(leaf)); err != nil {
		return fmt.Errorf("inclusion: %w", err)
	}
	oldRoot, err := hashOf(in.OldRoot)
	if err != nil {
		return fmt.Errorf("old root: %w", err)
	}
	consistency, err := hashesOf(in.Consistency)
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(consistency, size, root, in.OldSize, oldRoot); err != nil {
		return fmt.Errorf("consistency: %w", err)
	}
	return nil
}

func hashesOf(texts []string) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, 0, len(texts))
	for _, text := range texts {
		hash, err := hashOf(text)
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, hash)
	}
	return hashes, nil
}

func hashOf(text string) (tlog.Hash, error) {
	return tlog.ParseHash(text)
}
