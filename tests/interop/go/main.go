// Peer lets programs that we did not write talk to ours: golang.org/x/mod/sumdb/note and tlog, and filippo.io/torchwood.
//
//	peer note VKEY...             opens the note on standard input, and prints the names of the keys that signed it
//	peer read URL VKEY            reads and checks every entry of a log; prints its size and SHA-256 of all entries
//	peer feed URL VKEY WITNESS WKEY   has a witness cosign the log's checkpoint; prints the size before and after
//	peer agent SOCKET SEED        is an ssh-agent with one Ed25519 key, which is how litewitness is given its key
package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"

	"filippo.io/torchwood"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	log.SetFlags(0)
	commands := map[string]func([]string) error{"note": openNote, "read": read, "feed": feed, "agent": serveAgent}
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		log.Fatal("usage: peer note|read|feed|agent ...")
	}
	if err := commands[os.Args[1]](os.Args[2:]); err != nil {
		log.Fatal(err)
	}
}

// verifiers knows plain keys (type 1) and cosignature keys (type 4).
func verifiers(vkeys []string) (note.Verifiers, error) {
	var list []note.Verifier
	for _, vkey := range vkeys {
		if v, err := note.NewVerifier(vkey); err == nil {
			list = append(list, v)
		} else if c, err := torchwood.NewCosignatureVerifier(vkey); err == nil {
			list = append(list, c)
		} else {
			return nil, fmt.Errorf("%s: %w", vkey, err)
		}
	}
	return note.VerifierList(list...), nil
}

func openNote(vkeys []string) error {
	raw, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	known, err := verifiers(vkeys)
	if err != nil {
		return err
	}
	opened, err := note.Open(raw, known)
	if err != nil {
		return err
	}
	for _, sig := range opened.Sigs {
		fmt.Println(sig.Name)
	}
	return nil
}

// tree fetches a log's checkpoint and checks its signature.
func tree(url, vkey string) (*torchwood.TileFetcher, tlog.Tree, []byte, error) {
	var none tlog.Tree
	fetcher, err := torchwood.NewTileFetcher(url)
	if err != nil {
		return nil, none, nil, err
	}
	raw, err := fetcher.ReadEndpoint(context.Background(), "checkpoint")
	if err != nil {
		return nil, none, nil, err
	}
	known, err := verifiers([]string{vkey})
	if err != nil {
		return nil, none, nil, err
	}
	opened, err := note.Open(raw, known)
	if err != nil {
		return nil, none, nil, err
	}
	checkpoint, err := torchwood.ParseCheckpoint(opened.Text)
	if err != nil {
		return nil, none, nil, err
	}
	return fetcher, checkpoint.Tree, raw, nil
}

func read(args []string) error {
	fetcher, head, _, err := tree(args[0], args[1])
	if err != nil {
		return err
	}
	client, err := torchwood.NewClient(fetcher)
	if err != nil {
		return err
	}
	all := sha256.New()
	count := int64(0)
	for _, entry := range client.AllEntries(context.Background(), head, 0) {
		all.Write(entry)
		count++
	}
	if err := client.Err(); err != nil {
		return err
	}
	fmt.Printf("%d %x\n", count, all.Sum(nil))
	return nil
}

func feed(args []string) error {
	fetcher, head, raw, err := tree(args[0], args[1])
	if err != nil {
		return err
	}
	known, err := verifiers([]string{args[3]})
	if err != nil {
		return err
	}
	old := int64(0)
	for range 2 {
		var proof tlog.TreeProof
		if old > 0 && old < head.N {
			hashes := torchwood.TileHashReaderWithContext(context.Background(), head, fetcher)
			if proof, err = tlog.ProveTree(head.N, old, hashes); err != nil {
				return err
			}
		}
		body := fmt.Sprintf("old %d\n", old)
		for _, hash := range proof {
			body += hash.String() + "\n"
		}
		answer, err := http.Post(args[2]+"/add-checkpoint", "", strings.NewReader(body+"\n"+string(raw)))
		if err != nil {
			return err
		}
		lines, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil {
			return err
		}
		if answer.StatusCode == http.StatusConflict && answer.Header.Get("Content-Type") == "text/x.tlog.size" {
			if old, err = strconv.ParseInt(string(bytes.TrimSpace(lines)), 10, 64); err != nil {
				return err
			}
			continue
		}
		if answer.StatusCode != http.StatusOK {
			return fmt.Errorf("status %d: %s", answer.StatusCode, lines)
		}
		if _, err := note.Open(append(raw, lines...), known); err != nil {
			return err
		}
		fmt.Printf("%d %d\n", old, head.N)
		return nil
	}
	return fmt.Errorf("the witness names another size each time")
}

func serveAgent(args []string) error {
	seed, err := hex.DecodeString(args[1])
	if err != nil {
		return err
	}
	key := ed25519.NewKeyFromSeed(seed)
	ring := agent.NewKeyring()
	if err := ring.Add(agent.AddedKey{PrivateKey: &key}); err != nil {
		return err
	}
	public, err := ssh.NewPublicKey(key.Public())
	if err != nil {
		return err
	}
	listener, err := net.Listen("unix", args[0])
	if err != nil {
		return err
	}
	fmt.Println(ssh.FingerprintSHA256(public))
	for {
		connection, err := listener.Accept()
		if err != nil {
			return err
		}
		go agent.ServeAgent(ring, connection)
	}
}
