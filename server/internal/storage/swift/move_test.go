package swift

import (
	"errors"
	"net/http"
	"testing"

	"container-registry/server/internal/layout"
)

// TestMoveOfAnother lets another server commit the same upload after this one has compared its bytes with the digest.
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
	// An earlier request that was held up, and had found nothing there.
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

// TestDeletedBeforeMove lets another server make a blob of the upload and delete the upload's folder, before this
// server moves what it has committed.
func TestDeletedBeforeMove(t *testing.T) {
	ctx := t.Context()
	parameters := with(newContainer(t), "chunksize", mib)
	claimed(t, parameters)
	own := writerAt(t, open(t, parameters), uploadPath, true)
	if err := own.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	if err := open(t, parameters).Delete(ctx, uploadDir); err != nil {
		t.Fatal(err)
	}
	if err := own.Move(ctx, uploadPath, blobPath); err != nil {
		t.Fatal(err)
	}
	wantFile(t, own.driver, blobPath, randomContent(1, 3*mib+1))
	if err := later(t, parameters).Delete(ctx, blobDir); err != nil {
		t.Fatal(err)
	}
	wantEmpty(t, own.driver)
}
