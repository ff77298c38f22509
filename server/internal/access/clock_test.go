package access

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/sirupsen/logrus/hooks/test"

	"container-registry/server/internal/htpasswd"
	"container-registry/server/internal/token"
)

// TestTokenOfTheFuture is of a server with another clock, by which tokens of this one are too old, or of before
// this clock was set back. It is let in, and the log says so once.
func TestTokenOfTheFuture(t *testing.T) {
	users, err := htpasswd.Parse([]byte("#!anonymous pull\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, each := range []struct {
		ahead time.Duration
		want  int
	}{{0, 0}, {30 * time.Second, 0}, {2 * time.Minute, 1}, {24 * time.Hour, 1}} {
		log, logged := test.NewNullLogger()
		c := &Controller{tokens: token.NewIssuer(""), log: logrus.NewEntry(log)}
		for range 2 {
			r := httptest.NewRequest(http.MethodGet, "/v2/", nil)
			text, err := c.tokens.Issue(token.Claims{}, time.Now().Add(each.ahead))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer "+text)
			if _, err := c.authenticate(r, users); err != nil {
				t.Error(err)
			}
		}
		if said := logged.AllEntries(); len(said) != each.want || each.want > 0 && !strings.Contains(said[0].Message, "ahead of this server's, and is good for that much longer") {
			t.Errorf("%s ahead: %v", each.ahead, said)
		}
	}
}
