// Command sumdb reads and writes logs with the code of Go's checksum database, which shares nothing with Touchmark.
//
//	sumdb check URL VKEY OLDER   all of a log over HTTP; OLDER is the file of a checkpoint that it has to extend
//	sumdb proof FILE VKEY        a tlog-proof whose extra data are the leaf
//	sumdb write DIR SKEY SIZE    a log of SIZE records in DIR, and DIR/older, a checkpoint of about two thirds of it
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8
const width = 1 << height

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 4 && args[0] == "check":
		return check(args[1], args[2], args[3])
	case len(args) == 3 && args[0] == "proof":
		return checkProof(args[1], args[2])
	case len(args) == 4 && args[0] == "write":
		return write(args[1], args[2], args[3])
	}
	return errors.New("what to do?")
}

func check(url, vkey, olderFile string) error {
	text, err := get(url + "checkpoint")
	if err != nil {
		return err
	}
	tree, err := openCheckpoint(text, vkey)
	if err != nil {
		return err
	}
	text, err = os.ReadFile(olderFile)
	if err != nil {
		return err
	}
	older, err := openCheckpoint(text, vkey)
	if err != nil {
		return err
	}
	// Their reader accepts a tile only if it hashes to the tree of the checkpoint.
	hashes := tlog.TileHashReader(tree, tileReader(url))
	if err := checkGrowth(tree, older, hashes); err != nil {
		return err
	}
	// The older tree is read through the tiles that it had.
	if err := checkRecords(url, older, tlog.TileHashReader(older, tileReader(url)), 7919); err != nil {
		return err
	}
	if err := checkRecords(url, tree, hashes, 1); err != nil {
		return err
	}
	fmt.Printf("%d records, extending %d\n", tree.N, older.N)
	return nil
}

func checkGrowth(tree, older tlog.Tree, hashes tlog.HashReader) error {
	proof, err := tlog.ProveTree(tree.N, older.N, hashes)
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, tree.N, tree.Hash, older.N, older.Hash)
}

// All records of every step-th bundle are compared with the tree, and the bundle's first by a proof of its own.
func checkRecords(url string, tree tlog.Tree, hashes tlog.HashReader, step int64) error {
	for start := int64(0); start < tree.N; start += width * step {
		count := tree.N - start
		if count > width {
			count = width
		}
		records, err := getBundle(url, start, int(count))
		if err != nil {
			return err
		}
		indexes := make([]int64, count)
		for i := range indexes {
			indexes[i] = tlog.StoredHashIndex(0, start+int64(i))
		}
		want, err := hashes.ReadHashes(indexes)
		if err != nil {
			return err
		}
		for i, record := range records {
			if tlog.RecordHash(record) != want[i] {
				return fmt.Errorf("record %d is not in the tree", start+int64(i))
			}
		}
		proof, err := tlog.ProveRecord(tree.N, start, hashes)
		if err != nil {
			return err
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, start, want[0]); err != nil {
			return err
		}
	}
	return nil
}

func getBundle(url string, start int64, count int) ([][]byte, error) {
	path := tilePath(tlog.Tile{H: height, L: 0, N: start / width, W: count})
	data, err := get(url + strings.Replace(path, "tile/0/", "tile/entries/", 1))
	if err != nil {
		return nil, err
	}
	var records [][]byte
	for len(data) >= 2 {
		length := int(binary.BigEndian.Uint16(data))
		if len(data) < 2+length {
			return nil, errors.New("a bundle ends inside a record")
		}
		records = append(records, data[2:2+length])
		data = data[2+length:]
	}
	if len(data) != 0 || len(records) != count {
		return nil, fmt.Errorf("a bundle holds %d records instead of %d", len(records), count)
	}
	return records, nil
}

func checkProof(proofFile, vkey string) error {
	text, err := os.ReadFile(proofFile)
	if err != nil {
		return err
	}
	border := bytes.Index(text, []byte("\n\n"))
	if border < 0 {
		return errors.New("the proof has no checkpoint")
	}
	tree, err := openCheckpoint(text[border+2:], vkey)
	if err != nil {
		return err
	}
	lines := strings.Split(string(text[:border]), "\n")
	if lines[0] != "c2sp.org/tlog-proof@v1" {
		return errors.New("the proof is of another form")
	}
	if len(lines) < 3 || !strings.HasPrefix(lines[1], "extra ") {
		return errors.New("the proof has no extra data")
	}
	leaf, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	if err != nil {
		return err
	}
	var index int64
	if _, err := fmt.Sscanf(lines[2], "index %d", &index); err != nil {
		return err
	}
	var proof tlog.RecordProof
	for _, line := range lines[3:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return err
		}
		proof = append(proof, hash)
	}
	if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(leaf)); err != nil {
		return err
	}
	fmt.Printf("record %d of %d\n", index, tree.N)
	return nil
}

func write(dir, skey, sizeText string) error {
	signer, err := note.NewSigner(skey)
	if err != nil {
		return err
	}
	size, err := strconv.ParseInt(sizeText, 10, 64)
	if err != nil {
		return err
	}
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		found := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			found[i] = stored[index]
		}
		return found, nil
	})
	var bundle bytes.Buffer
	for n := int64(0); n < size; n++ {
		record := []byte(fmt.Sprintf("record %d%s", n, strings.Repeat(" and more", int(n%7))))
		hashes, err := tlog.StoredHashes(n, record, reader)
		if err != nil {
			return err
		}
		stored = append(stored, hashes...)
		binary.Write(&bundle, binary.BigEndian, uint16(len(record)))
		bundle.Write(record)
		if (n+1)%width == 0 || n+1 == size {
			path := tilePath(tlog.Tile{H: height, L: 0, N: n / width, W: int(n%width) + 1})
			if err := writeFile(dir, strings.Replace(path, "tile/0/", "tile/entries/", 1), bundle.Bytes()); err != nil {
				return err
			}
			bundle.Reset()
		}
		if n+1 == size/3*2 {
			if err := writeCheckpoint(dir, "older", n+1, reader, signer); err != nil {
				return err
			}
		}
	}
	for _, tile := range tlog.NewTiles(height, 0, size) {
		data, err := tlog.ReadTileData(tile, reader)
		if err != nil {
			return err
		}
		if err := writeFile(dir, tilePath(tile), data); err != nil {
			return err
		}
	}
	return writeCheckpoint(dir, "checkpoint", size, reader, signer)
}

func writeCheckpoint(dir, name string, size int64, reader tlog.HashReader, signer note.Signer) error {
	root, err := tlog.TreeHash(size, reader)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("%s\n%d\n%s\n", signer.Name(), size, root)
	signed, err := note.Sign(&note.Note{Text: text}, signer)
	if err != nil {
		return err
	}
	return writeFile(dir, name, signed)
}

func writeFile(dir, name string, data []byte) error {
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o666)
}

func openCheckpoint(text []byte, vkey string) (tlog.Tree, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() || lines[3] != "" {
		return tlog.Tree{}, errors.New("the checkpoint has not its three lines")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return tlog.Tree{}, errors.New("the checkpoint has no root")
	}
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], root)
	return tree, nil
}

// A log's address, as their TileReader.
type tileReader string

func (tileReader) Height() int                         { return height }
func (tileReader) SaveTiles(_ []tlog.Tile, _ [][]byte) {}

func (url tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		data, err := get(string(url) + tilePath(tile))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

// C2SP's paths are those of the checksum database without the height.
func tilePath(tile tlog.Tile) string {
	return strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
}

func get(url string) ([]byte, error) {
	answer, err := http.Get(url)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != 200 {
		return nil, fmt.Errorf("%s: %s", url, answer.Status)
	}
	return io.ReadAll(answer.Body)
}
