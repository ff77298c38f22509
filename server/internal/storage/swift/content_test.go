package swift

import (
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
)

const mib = 1 << 20

// randomContent streams size bytes that depend on the seed, without holding them.
func randomContent(seed byte, size int64) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{seed}), size)
}

func digestOf(t testing.TB, r io.Reader) string {
	t.Helper()
	sum := sha256.New()
	n, err := io.Copy(sum, r)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d bytes, sha256 %x", n, sum.Sum(nil))
}
