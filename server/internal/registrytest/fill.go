package registrytest

import (
	"math/rand/v2"
	"testing"
)

// Layer returns content that is reproducible and does not compress.
func Layer(seed uint64, size int) []byte {
	content := make([]byte, size)
	source := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	_, _ = source.Read(content)
	return content
}

// Fill pushes what a registry holds after some use: layers that are shared, a large one
// and an empty one, tags that moved, an index, repositories below another one.
func (c Client) Fill(t testing.TB) {
	t.Helper()
	shared, large := Layer(1, 2000), Layer(2, 3<<20)
	c.Push(t, "hello-world", "latest", shared, Layer(3, 10))
	c.Push(t, "team/app", "1.0", shared, large)
	c.Push(t, "team/app", "latest", shared, large)
	c.Push(t, "team/app", "latest", shared, Layer(4, 1500<<10), []byte{})
	amd64 := c.Push(t, "team/app/tools", "amd64", shared, Layer(5, 100))
	arm64 := c.Push(t, "team/app/tools", "arm64", shared, Layer(6, 100))
	c.PushIndex(t, "team/app/tools", "multi", amd64, arm64)
	c.BeginUpload(t, "hello-world")
	c.BeginUpload(t, "only/an/upload")
}
