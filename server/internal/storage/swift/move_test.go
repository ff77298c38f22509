package swift

import (
	"errors"
	"net/http"
	"testing"

	"container-registry/server/internal/layout"
)

// TestMoveOfAnother has another server commit the same upload after this one, whose bytes were compared with a digest.
func TestMoveOfAnother(t *testing.T) {
	ctx := t.Context()
	const to = "/docker/registry/v2/blobs/sha256/aa/aabb/data"
	d := open(t, with(newContainer(t), "chunksize", mib))
	if err := writerAt(t, d, uploadPath, false).Close(); err != nil {
		t.Fatal(err)
	}
	own := writerAt(t, d, uploadPath, true)
	if _, err := own.Write([]byte("good")); err != nil {
		t.Fatal(err)
	}
	if err := own.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	// A request of before, which had found nothing there.
	if _, err := d.client.do(ctx, request{method: http.MethodPut, object: d.fileName(uploadPath), body: []byte("evil")}); err != nil {
		t.Fatal(err)
	}
	if err := own.Move(ctx, uploadPath, to); !errors.Is(err, layout.ErrOvertaken) {
		t.Errorf("moved: %v", err)
	}
	if _, err := d.GetContent(ctx, to); !isPathNotFound(err) {
		t.Errorf("there is a blob: %v", err)
	}
}
