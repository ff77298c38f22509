package healthcheck

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"time"
)

// ticksPerSecond is the unit of times in /proc/PID/stat: 100 on every Linux.
const ticksPerSecond = 100

// serverUptime is the age of process 1, which is the server, or an init that
// started it at once.
func serverUptime() (time.Duration, error) {
	system, err := os.ReadFile("/proc/uptime")
	if err != nil {
		return 0, err
	}
	process, err := os.ReadFile("/proc/1/stat")
	if err != nil {
		return 0, err
	}
	return processAge(system, process)
}

// processAge reads the contents of /proc/uptime and /proc/PID/stat.
func processAge(system, process []byte) (time.Duration, error) {
	up := bytes.Fields(system)
	// The name of the process is in brackets and may hold spaces.
	end := bytes.LastIndexByte(process, ')')
	if len(up) == 0 || end < 0 {
		return 0, errors.New("unreadable /proc")
	}
	// The start time is field 22 of the line, 20 after the name.
	const startField = 19
	fields := bytes.Fields(process[end+1:])
	if len(fields) <= startField {
		return 0, errors.New("unreadable /proc")
	}
	seconds, err := strconv.ParseFloat(string(up[0]), 64)
	if err != nil {
		return 0, err
	}
	ticks, err := strconv.ParseInt(string(fields[startField]), 10, 64)
	if err != nil {
		return 0, err
	}
	return time.Duration((seconds - float64(ticks)/ticksPerSecond) * float64(time.Second)), nil
}
