package simulate

// Shrink returns the smallest script it finds that still fails, by leaving out
// acts: halves first, then ever smaller parts, until no single one can go. fails
// plays a script. At most so many are played.
func Shrink(sc Script, fails func(Script) bool, plays int) Script {
	for part := (len(sc.Acts) + 1) / 2; part > 0; {
		smaller := false
		for from := 0; from < len(sc.Acts) && plays > 0; {
			to := min(from+part, len(sc.Acts))
			plays--
			if one := sc.without(from, to); fails(one) {
				sc, smaller = one, true
			} else {
				from = to
			}
		}
		switch {
		case plays <= 0:
			return sc
		case part == 1 && !smaller:
			part = 0
		case !smaller || part > len(sc.Acts):
			part = max(part/2, 1)
		}
	}
	calm := sc
	calm.Weather.Lost, calm.Weather.Doubled, calm.Weather.Late, calm.Weather.Cut = 0, 0, 0, 0
	if calm.Weather != sc.Weather && plays > 0 && fails(calm) {
		return calm
	}
	return sc
}

// without is the script without some acts. What comes after them comes when it
// did before.
func (sc Script) without(from, to int) Script {
	out := sc
	out.Acts = append([]Act(nil), sc.Acts[:from]...)
	rest := append([]Act(nil), sc.Acts[to:]...)
	if len(rest) > 0 {
		for _, a := range sc.Acts[from:to] {
			rest[0].After += a.After
		}
	}
	out.Acts = append(out.Acts, rest...)
	return out
}
