package frame

import "fmt"

// Sizes is what a terminal counts, and what it has room for.
type Sizes struct {
	Users, Templates, Attendance, Oplog  int
	Admins, Passwords                    int
	TemplateCap, UserCap, AttendanceCap  int
	FreeTemplates, FreeUsers, FreeAttend int
	Faces, FaceCap                       int
}

// sizesLen is the shortest answer that tells the counts of users and templates
// and their capacities; old firmware ends here.
const sizesLen = 80

// ParseSizes reads the answer to CmdSizes.
func ParseSizes(b []byte) (Sizes, error) {
	if len(b) < sizesLen {
		return Sizes{}, fmt.Errorf("sizes of %d bytes: %w", len(b), ErrShort)
	}
	at := func(off int) int {
		if off+4 > len(b) {
			return 0
		}
		return int(int32(le.Uint32(b[off:])))
	}
	s := Sizes{
		Users: at(16), Templates: at(24), Attendance: at(32), Oplog: at(40), Admins: at(48), Passwords: at(52),
		TemplateCap: at(56), UserCap: at(60), AttendanceCap: at(64),
		FreeTemplates: at(68), FreeUsers: at(72), FreeAttend: at(76), Faces: at(80), FaceCap: at(88),
	}
	if s.Users < 0 || s.Templates < 0 || s.Oplog < 0 {
		return Sizes{}, fmt.Errorf("sizes with a negative count: %w", ErrTable)
	}
	return s, nil
}

// Append appends the sizes in the 92-byte form.
func (s Sizes) Append(b []byte) []byte {
	var f [92]byte
	put := func(off, v int) { le.PutUint32(f[off:], uint32(int32(v))) }
	put(16, s.Users)
	put(24, s.Templates)
	put(32, s.Attendance)
	put(40, s.Oplog)
	put(48, s.Admins)
	put(52, s.Passwords)
	put(56, s.TemplateCap)
	put(60, s.UserCap)
	put(64, s.AttendanceCap)
	put(68, s.FreeTemplates)
	put(72, s.FreeUsers)
	put(76, s.FreeAttend)
	put(80, s.Faces)
	put(88, s.FaceCap)
	return append(b, f[:]...)
}
