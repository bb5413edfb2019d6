package zksim

import (
	"encoding/binary"
	"strings"
	"time"

	"doorsync/firmware-bridge/zk/frame"
)

var le = binary.LittleEndian

// smallTable is the most that a buffered read answers at once.
const smallTable = 1000

// answer handles one request and returns the frames to send back.
func (t *Terminal) answer(s *session, f frame.Frame) []frame.Frame {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.fault == FaultSilent || f.Cmd == frame.AckOK { // the client's word that an event came
		return nil
	}
	t.requests++
	var out []frame.Frame
	switch {
	case f.Cmd == frame.CmdConnect:
		out = t.connect(s)
	case t.active != s || f.Session != s.id:
		return nil // another client has the session
	default:
		s.used = true
		out = t.inSession(s, f)
	}
	for i := range out {
		out[i].Session, out[i].Reply = s.id, f.Reply
	}
	return out
}

func (t *Terminal) inSession(s *session, f frame.Frame) []frame.Frame {
	switch {
	case f.Cmd == frame.CmdAuth:
		return t.auth(s, f.Data)
	case !s.authorized && f.Cmd != frame.CmdExit:
		return reply(frame.AckUnauth)
	default:
		return t.command(s, f)
	}
}

func (t *Terminal) connect(s *session) []frame.Frame {
	if t.active != nil && t.active != s && !(t.active.udp && s.udp) {
		return nil
	}
	if s.id != 0 && !s.used { // the request came twice
		return t.greet(s)
	}
	t.lastSession++
	*s = session{udp: s.udp, write: s.write, out: s.out, id: t.lastSession, authorized: t.opt.Key == 0}
	t.active = s
	return t.greet(s)
}

func (t *Terminal) greet(s *session) []frame.Frame {
	if !s.authorized {
		return reply(frame.AckUnauth)
	}
	return reply(frame.AckOK)
}

func (t *Terminal) auth(s *session, data []byte) []frame.Frame {
	want := frame.CommKey(t.opt.Key, s.id)
	if s.authorized || string(data) == string(want[:]) {
		s.authorized = true
		return reply(frame.AckOK)
	}
	return reply(frame.AckUnauth)
}

func reply(c frame.Cmd, data ...byte) []frame.Frame {
	return []frame.Frame{{Cmd: c, Data: data}}
}

func (t *Terminal) command(s *session, f frame.Frame) []frame.Frame {
	switch f.Cmd {
	case frame.CmdExit:
		t.active = nil
		t.enable()
	case frame.CmdEnable:
		t.enable()
	case frame.CmdDisable:
		var limit time.Duration
		if len(f.Data) >= 4 {
			limit = time.Duration(le.Uint32(f.Data)) * time.Second
		}
		t.disable(limit)
	case frame.CmdRegEvent:
		if len(f.Data) < 4 {
			return reply(frame.AckError)
		}
		s.mask = le.Uint32(f.Data)
	case frame.CmdReadOption:
		return t.option(f.Data)
	case frame.CmdVersion:
		return reply(frame.AckOK, frame.ZString(t.opt.Firmware)...)
	case frame.CmdSizes:
		return reply(frame.AckOK, t.sizes().Append(nil)...)
	case frame.CmdGetTime:
		return reply(frame.AckOK, frame.U32(frame.EncodeTime(t.clock()))...)
	case frame.CmdSetTime:
		return t.setTime(f.Data)
	case frame.CmdRefreshData, frame.CmdRefreshOption, frame.CmdWriteOption, frame.CmdStartVerify, frame.CmdCancelCapture:
	case frame.CmdOpenRead, frame.CmdReadChunk, frame.CmdFreeData, frame.CmdReadTemplate, frame.CmdReadTemplate2:
		return t.reading(s, f)
	default:
		return t.writing(s, f)
	}
	return reply(frame.AckOK)
}

func (t *Terminal) option(data []byte) []frame.Frame {
	key := frame.Text(data)
	values := map[string]string{
		"~SerialNumber": t.opt.Serial, "~DeviceName": t.opt.Model, "~Platform": "ZSIM_TFT", "~OS": "1",
		"~ZKFPVersion": t.opt.FingerVersion, "~PIN2Width": "9", "~IsABCPinEnable": "1", "MAC": "00:17:61:00:00:01",
		"~ExtendFmt": "0", "~UserExtFmt": "1", "~OEMVendor": "doorsync", "WorkCode": "0", "FaceFunOn": "0",
		"~ProductTime": "2026-01-01 00:00:00", "DeviceID": "1", "~SSR": "1",
	}
	if t.opt.Width == frame.Width28 {
		values["~UserExtFmt"], values["~IsABCPinEnable"] = "0", "0"
	}
	v, ok := values[key]
	if !ok {
		return reply(frame.AckError)
	}
	return reply(frame.AckOK, frame.ZString(key+"="+v)...)
}

func (t *Terminal) sizes() frame.Sizes {
	s := frame.Sizes{
		Users: len(t.mem.users), Templates: t.mem.prints, Attendance: len(t.mem.passes), Oplog: len(t.mem.oplog),
		UserCap: t.opt.UserCapacity, TemplateCap: t.opt.TemplateCapacity, AttendanceCap: 100000,
	}
	for _, u := range t.mem.users {
		if u.PIN != "" {
			s.Passwords++
		}
		if len(u.Raw) > 2 && u.Raw[2]&^1 != 0 {
			s.Admins++
		}
	}
	s.FreeUsers, s.FreeTemplates, s.FreeAttend = s.UserCap-s.Users, s.TemplateCap-s.Templates, s.AttendanceCap-s.Attendance
	return s
}

func (t *Terminal) setTime(data []byte) []frame.Frame {
	if len(data) < 4 {
		return reply(frame.AckError)
	}
	now := t.opt.Now()
	t.offset = frame.DecodeTime(le.Uint32(data), now.Location()).Sub(now)
	return reply(frame.AckOK)
}

func (t *Terminal) reading(s *session, f frame.Frame) []frame.Frame {
	switch f.Cmd {
	case frame.CmdFreeData:
		s.read, s.upload = nil, nil
		return reply(frame.AckOK)
	case frame.CmdReadTemplate, frame.CmdReadTemplate2:
		return t.oneTemplate(s, f.Data)
	case frame.CmdReadChunk:
		offset, length, err := frame.ParseChunk(f.Data)
		end := uint64(offset) + uint64(length)
		if err != nil || end > uint64(len(s.read)) {
			return reply(frame.AckError)
		}
		return t.chunk(s, s.read[offset:end])
	default:
		return t.openRead(s, f.Data)
	}
}

func (t *Terminal) openRead(s *session, data []byte) []frame.Frame {
	table, err := frame.ParseTable(data)
	if err != nil {
		return reply(frame.AckError)
	}
	var records []byte
	switch table {
	case frame.Users():
		records = t.mem.userTable(t.layout)
	case frame.Templates():
		records = t.mem.templateTable()
	case frame.Attendance():
		records = t.attendance()
	case frame.Oplog():
		for _, o := range t.mem.oplog {
			records = o.Append(records)
		}
	default:
		return reply(frame.AckError)
	}
	s.read = frame.AppendBody(nil, t.fault.spoil(records, t.layout))
	if len(s.read) <= smallTable {
		return reply(frame.CmdData, t.fault.cut(s.read)...)
	}
	return reply(frame.AckOK, frame.Prepared(len(s.read))...)
}

// chunk sends data: the announcement, the data in packets, the end.
func (t *Terminal) chunk(s *session, data []byte) []frame.Frame {
	announce := le.AppendUint32(frame.U32(uint32(len(data))), 0)
	out := []frame.Frame{{Cmd: frame.CmdPrepareData, Data: announce}}
	data = t.fault.cut(data)
	packet := len(data)
	if s.udp {
		packet = frame.MaxChunkUDP
	}
	for ; len(data) > 0; data = data[min(packet, len(data)):] {
		out = append(out, frame.Frame{Cmd: frame.CmdData, Data: data[:min(packet, len(data))]})
	}
	return append(out, frame.Frame{Cmd: frame.AckOK})
}

// oneTemplate answers with the template and its flag behind it, as terminals
// do.
func (t *Terminal) oneTemplate(s *session, data []byte) []frame.Frame {
	if len(data) < 3 {
		return reply(frame.AckError)
	}
	tpl, ok := t.mem.fingers[le.Uint16(data)][data[2]]
	if !ok {
		return reply(frame.AckError)
	}
	return t.chunk(s, append(append([]byte(nil), tpl.Data...), tpl.Flag))
}

// attendance is the log of who passed in records of 40 bytes.
func (t *Terminal) attendance() []byte {
	var out []byte
	for _, p := range t.mem.passes {
		var r [40]byte
		le.PutUint16(r[:], p.UID)
		copy(r[2:26], strings.TrimRight(p.ID, "\x00"))
		r[26] = 1
		le.PutUint32(r[27:], p.Time)
		out = append(out, r[:]...)
	}
	return out
}
