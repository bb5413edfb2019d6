package zksim

import (
	"doorsync/firmware-bridge/zk/frame"
)

// writing handles what changes the terminal's memory.
func (t *Terminal) writing(s *session, f frame.Frame) []frame.Frame {
	if t.fault == FaultRefuseWrites {
		return reply(frame.AckError)
	}
	ok := false
	var err error
	switch f.Cmd {
	case frame.CmdWriteUser:
		ok = t.writeUser(f.Data)
	case frame.CmdDeleteUser:
		ok = t.removeUser(f.Data)
	case frame.CmdDeleteTemplate:
		ok = len(f.Data) >= 3 && t.mem.deleteFinger(le.Uint16(f.Data), f.Data[2])
	case frame.CmdDeleteFinger:
		ok = t.removeFinger(f.Data)
	case frame.CmdPrepareData:
		s.announced, err = frame.ParseSize(f.Data)
		s.upload, ok = []byte{}, err == nil
	case frame.CmdData:
		// No more than was announced is kept, as when a packet comes twice.
		s.upload = append(s.upload, f.Data[:min(len(f.Data), max(s.announced-len(s.upload), 0))]...)
		ok = s.upload != nil
	case frame.CmdChecksum:
		return reply(frame.AckOK, frame.U32(uint32(frame.Checksum(s.upload)))...)
	case frame.CmdWriteTemplate:
		ok = t.writeTemplate(s, f.Data)
	case frame.CmdClearAttLog:
		t.mem.passes, ok = nil, true
	case frame.CmdClearOplog:
		t.mem.oplog, ok = nil, true
	case frame.CmdClearData:
		ok = t.clearData(f.Data)
	default:
		return reply(frame.AckUnknown)
	}
	if !ok {
		return reply(frame.AckError)
	}
	if err := t.save(); err != nil {
		t.opt.Logger.Error("the simulated terminal forgets", "error", err)
		return reply(frame.AckError)
	}
	return reply(frame.AckOK)
}

// writeUser keeps the record as it came. A uid that is known is overwritten; a
// user ID that another uid has is refused.
func (t *Terminal) writeUser(data []byte) bool {
	u, err := t.layout.Parse(data)
	if err != nil || u.UID == 0 || u.UserID == "" || len(u.Name) > t.layout.NameLen {
		return false
	}
	if owner, ok := t.mem.byID[u.UserID]; ok && owner != u.UID {
		return false
	}
	if _, known := t.mem.users[u.UID]; !known && len(t.mem.users) >= t.opt.UserCapacity {
		return false
	}
	t.mem.putUser(u)
	t.logRemote(frame.OpModifyUser, u.UID)
	return true
}

func (t *Terminal) removeUser(data []byte) bool {
	if len(data) < 2 {
		return false
	}
	uid := le.Uint16(data)
	if _, ok := t.mem.users[uid]; !ok {
		return false
	}
	t.mem.deleteUser(uid)
	t.logRemote(frame.OpDeleteUser, uid)
	return true
}

func (t *Terminal) removeFinger(data []byte) bool {
	if len(data) < 25 {
		return false
	}
	uid, ok := t.mem.byID[frame.Text(data[:24])]
	return ok && t.mem.deleteFinger(uid, data[24])
}

// writeTemplate takes what was uploaded. The user must be there and the finger
// free.
func (t *Terminal) writeTemplate(s *session, data []byte) bool {
	if len(data) < 6 {
		return false
	}
	tpl := frame.Template{UID: le.Uint16(data), Finger: data[2], Flag: data[3], Data: s.upload}
	_, known := t.mem.users[tpl.UID]
	_, taken := t.mem.fingers[tpl.UID][tpl.Finger]
	if !known || taken || tpl.Finger > 9 || len(s.upload) != int(le.Uint16(data[4:])) || t.mem.prints >= t.opt.TemplateCapacity {
		return false
	}
	s.upload = nil
	t.mem.putFinger(tpl)
	t.logRemote(frame.OpEnrollFinger, tpl.UID, 0, uint16(tpl.Finger), uint16(len(tpl.Data)))
	return true
}

// clearData follows the byte that says what; without one, everything goes.
func (t *Terminal) clearData(data []byte) bool {
	what := byte(0)
	if len(data) > 0 {
		what = data[0]
	}
	switch what {
	case 1:
		t.mem.passes = nil
	case 2:
		t.mem.fingers, t.mem.prints = map[uint16]map[uint8]frame.Template{}, 0
	case 4:
		t.mem.oplog = nil
	case 5:
		oplog, passes := t.mem.oplog, t.mem.passes
		t.mem = newMemory()
		t.mem.oplog, t.mem.passes = oplog, passes
	case 0:
		t.mem = newMemory()
	default:
		return false
	}
	return true
}

func (t *Terminal) logRemote(code uint8, v ...uint16) {
	if t.opt.LogRemote {
		t.log(code, v...)
	}
}
