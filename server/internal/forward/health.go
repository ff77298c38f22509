package forward

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// HealthSocket is where the forwarder of a container tells that it is alive. Abstract
// sockets belong to a network namespace: no file is left behind, and nobody outside the
// container reaches it.
const HealthSocket = "@registry-forward"

const alive = "alive"

// answer tells everybody who connects that the process works. Whether a task answers is
// not said: no forwarder gets better by being replaced while the registry is away.
func answer(health net.Listener) {
	for {
		connection, err := health.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			// Out of file descriptors: that passes, and whoever asks in between waits.
			time.Sleep(10 * time.Millisecond)
			continue
		}
		_ = connection.SetDeadline(time.Now().Add(time.Second))
		_, _ = io.WriteString(connection, alive)
		connection.Close()
	}
}

// Check asks the forwarder behind a socket whether it is alive.
func Check(ctx context.Context, socket string) error {
	var dialer net.Dialer
	connection, err := dialer.DialContext(ctx, "unix", socket)
	if err != nil {
		return err
	}
	defer connection.Close()
	if deadline, ok := ctx.Deadline(); ok {
		_ = connection.SetDeadline(deadline)
	}
	said, err := io.ReadAll(connection)
	if err != nil {
		return err
	}
	if string(said) != alive {
		return fmt.Errorf("it said %q", said)
	}
	return nil
}
