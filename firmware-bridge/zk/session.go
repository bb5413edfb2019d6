package zk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"doorsync/firmware-bridge/driver"
	"doorsync/firmware-bridge/zk/frame"
)

// exitLimit is how long a farewell may take: the terminal's one session should
// be free for the next client, but a dead line must not hold up a stop.
const exitLimit = time.Second

// session is an open connection to a terminal.
type session struct {
	d    *Driver
	link *link
	log  *slog.Logger

	busy  sync.Mutex // one act on the terminal at a time
	info  driver.Info
	model model
	known known
	inbox inbox
	stale atomic.Bool  // the terminal told of a change since its table was read
	found atomic.Int32 // width of the records of the table read last; Watch may read one while Project asks
	once  sync.Once
}

// Guards: a terminal can do all that its brief promises.
var (
	_ driver.Session   = (*session)(nil)
	_ driver.Projector = (*session)(nil)
	_ driver.Watcher   = (*session)(nil)
	_ driver.Logger    = (*session)(nil)
	_ driver.Getter    = (*session)(nil)
	_ driver.Clock     = (*session)(nil)
	_ driver.Pinger    = (*session)(nil)
)

func newSession(d *Driver, l *link) *session {
	s := &session{d: d, link: l, log: d.log, inbox: newInbox()}
	l.onEvent = s.event
	go l.run() // Close waits for it
	return s
}

// width is that of user records: as read, else as guessed from the model.
func (s *session) width() int {
	if w := s.found.Load(); w != 0 {
		return int(w)
	}
	return s.model.width
}

// start connects, gives the key, and learns what the terminal is. A request to
// connect that comes twice over UDP may begin two sessions, of which the
// terminal knows the second only: then it is begun anew.
func (s *session) start(ctx context.Context) error {
	err := s.begin(ctx)
	if silent := (errNoAnswer{}); s.link.udp && errors.As(err, &silent) {
		return s.begin(ctx)
	}
	return err
}

func (s *session) begin(ctx context.Context) error {
	if err := s.connect(ctx); err != nil {
		return err
	}
	// Newer firmware gives its whole self only to clients that say this; older
	// firmware does not know it.
	if _, err := s.link.call(ctx, frame.CmdWriteOption, frame.ZString("SDKBuild=1")); err != nil {
		return err
	}
	if err := s.learn(ctx); err != nil {
		return err
	}
	err := s.command(ctx, frame.CmdRegEvent, frame.U32(frame.AllEvents))
	if errors.Is(err, driver.ErrRefused) {
		s.log.Warn("the terminal tells of no live events; enrollments are found when its table is read", "reader", s.d.cfg.Name)
		return nil
	}
	return err
}

func (s *session) connect(ctx context.Context) error {
	f, err := s.link.call(ctx, frame.CmdConnect, nil)
	if err != nil {
		if silent := (errNoAnswer{}); errors.As(err, &silent) && !s.link.udp {
			return fmt.Errorf("the terminal took the connection and does not answer: close other programs that talk to it, or restart it: %w", errors.Join(driver.ErrBusy, err))
		}
		return err
	}
	s.link.session.Store(uint32(f.Session))
	switch f.Cmd {
	case frame.AckOK:
		return nil
	case frame.AckUnauth:
		return s.authenticate(ctx, f.Session)
	default:
		return fmt.Errorf("connect: the terminal answered %s: %w", f.Cmd, driver.ErrRefused)
	}
}

func (s *session) authenticate(ctx context.Context, id uint16) error {
	if !s.d.hasKey {
		return fmt.Errorf("the terminal asks for a communication key: set password to it: %w", driver.ErrAuth)
	}
	key := frame.CommKey(s.d.key, id)
	f, err := s.link.call(ctx, frame.CmdAuth, key[:])
	if err != nil {
		return err
	}
	if f.Cmd != frame.AckOK {
		return fmt.Errorf("compare password with the communication key in the terminal's menu: %w", driver.ErrAuth)
	}
	return nil
}

// model is what was learned of the terminal's kind.
type model struct {
	idWidth int    // characters of a user ID, 0 if not told
	letters bool   // user IDs may have letters
	fingers string // template format, "" for none
	width   int    // of user records, a guess until a table has been read
}

// learn asks the terminal what it is. Options that a firmware does not know
// stay empty.
func (s *session) learn(ctx context.Context) error {
	values := map[string]string{}
	for _, key := range []string{"~SerialNumber", "~DeviceName", "~Platform", "~ZKFPVersion", "~PIN2Width", "~IsABCPinEnable", "~UserExtFmt"} {
		f, err := s.link.call(ctx, frame.CmdReadOption, frame.ZString(key))
		if err != nil {
			return err
		}
		if k, v, ok := frame.ParseOption(f.Data); ok && f.Cmd == frame.AckOK && k == key {
			values[key] = v
		}
	}
	version, err := s.link.call(ctx, frame.CmdVersion, nil)
	if err != nil {
		return err
	}
	sizes, err := s.sizes(ctx)
	if err != nil {
		return err
	}
	s.info = driver.Info{
		Model: values["~DeviceName"], Serial: values["~SerialNumber"], Firmware: frame.Text(version.Data),
		Users: sizes.Users, Capacity: max(sizes.UserCap, 0),
	}
	if s.info.Model == "" {
		s.info.Model = values["~Platform"]
	}
	s.model = s.d.modelOf(values)
	if w := s.d.width; w != 0 || sizes.Users == 0 {
		return nil
	}
	return s.learnWidth(ctx, sizes.Users)
}

// learnWidth opens the user table of a terminal that has users, without
// fetching it: only its size tells for certain how wide a record is, and
// projections depend on it. A size that fits nothing is left for List to
// complain of.
func (s *session) learnWidth(ctx context.Context, users int) error {
	size, _, err := s.openTable(ctx, frame.Users())
	if err != nil {
		return err
	}
	if l, err := frame.LayoutOf((size - 4) / users); err == nil && (size-4)%users == 0 {
		s.model.width = l.Width
	}
	return s.freeTable(ctx)
}

func (d *Driver) modelOf(values map[string]string) model {
	m := model{letters: values["~IsABCPinEnable"] != "0", width: d.width, fingers: d.fingers}
	if n, err := strconv.Atoi(values["~PIN2Width"]); err == nil && n > 0 {
		m.idWidth = n
	}
	switch {
	case m.fingers == "off":
		m.fingers = ""
	case m.fingers == "" && values["~ZKFPVersion"] != "":
		m.fingers = "zk" + values["~ZKFPVersion"]
	}
	if m.width == 0 {
		m.width = frame.Width72
		if values["~UserExtFmt"] == "0" || (values["~UserExtFmt"] == "" && d.cfg.Network == "udp") {
			m.width = frame.Width28
		}
	}
	return m
}

// Info tells what the terminal is.
func (s *session) Info() driver.Info { return s.info }

// retries is how often a terminal may put a request off.
const retries = 3

// command sends a request that is either done or refused.
func (s *session) command(ctx context.Context, cmd frame.Cmd, data []byte) error {
	f, err := s.link.call(ctx, cmd, data)
	for try := 0; err == nil && try < retries && (f.Cmd == frame.AckRetry || f.Cmd == frame.AckRepeat); try++ {
		f, err = s.link.call(ctx, cmd, data)
	}
	if err != nil {
		return err
	}
	if f.Cmd != frame.AckOK {
		return fmt.Errorf("%s: the terminal answered %s: %w", cmd, f.Cmd, refusal(f.Cmd))
	}
	return nil
}

func refusal(c frame.Cmd) error {
	if c == frame.AckUnauth {
		return driver.ErrAuth
	}
	return driver.ErrRefused
}

func (s *session) sizes(ctx context.Context) (frame.Sizes, error) {
	f, err := s.link.call(ctx, frame.CmdSizes, nil)
	if err != nil {
		return frame.Sizes{}, err
	}
	if f.Cmd != frame.AckOK {
		return frame.Sizes{}, fmt.Errorf("%s: the terminal answered %s: %w", frame.CmdSizes, f.Cmd, refusal(f.Cmd))
	}
	return frame.ParseSizes(f.Data)
}

// Ping asks for the clock, the shortest answer there is.
func (s *session) Ping(ctx context.Context) error {
	s.busy.Lock()
	defer s.busy.Unlock()
	f, err := s.link.call(ctx, frame.CmdGetTime, nil)
	if err == nil && f.Cmd == frame.AckUnauth {
		err = errors.New("the terminal has forgotten the session: connect again")
	}
	if err != nil {
		return fmt.Errorf("ping: %w", err)
	}
	return nil
}

// SetTime sets the terminal's clock to the wall time that t shows.
func (s *session) SetTime(ctx context.Context, t time.Time) error {
	s.busy.Lock()
	defer s.busy.Unlock()
	if err := s.command(ctx, frame.CmdSetTime, frame.U32(frame.EncodeTime(t))); err != nil {
		return fmt.Errorf("set the clock: %w", err)
	}
	return s.command(ctx, frame.CmdRefreshData, nil)
}

// Close takes leave, so that the terminal is free for the next client, and
// ends the connection.
func (s *session) Close() error {
	s.once.Do(func() {
		if s.busy.TryLock() { // an act under way fails when the line goes
			ctx, cancel := context.WithTimeout(context.Background(), exitLimit)
			// A terminal that does not answer the farewell is left all the same.
			_, _ = s.link.call(ctx, frame.CmdExit, nil)
			cancel()
			s.busy.Unlock()
		}
		s.link.close()
	})
	return nil
}
