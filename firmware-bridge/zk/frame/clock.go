package frame

import "time"

// EncodeTime packs the wall time that t shows in its own location: terminals
// know no zone.
func EncodeTime(t time.Time) uint32 {
	days := (t.Year()%100)*12*31 + (int(t.Month())-1)*31 + t.Day() - 1
	return uint32(days)*86400 + uint32(t.Hour()*3600+t.Minute()*60+t.Second())
}

// DecodeTime unpacks a terminal's time as a wall time in loc.
func DecodeTime(v uint32, loc *time.Location) time.Time {
	sec, min, hour := int(v%60), int(v/60%60), int(v/3600%24)
	days := int(v / 86400)
	return time.Date(2000+days/(31*12), time.Month(days/31%12+1), days%31+1, hour, min, sec, 0, loc)
}
