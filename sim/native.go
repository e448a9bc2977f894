package sim

import "errors"

// Native makes a Replayer of a native policy.
func Native(p Policy) Replayer {
	n := &native{p: p}
	n.clairvoyant, _ = p.(Clairvoyant)
	n.preloader, _ = p.(Preloader)
	return n
}

type native struct {
	p           Policy
	clairvoyant Clairvoyant // nil: it is none
	preloader   Preloader   // nil: it is none
}

// ahead is how many requests a Preloader is given at a time.
const ahead = 32

func (n *native) Replay(b Batch, hit []bool) error {
	reqs := b.Requests
	hit = hit[:len(reqs)]
	for i := 0; i < len(reqs); {
		j := len(reqs)
		if n.preloader != nil {
			j = min(i+ahead, j)
			n.preloader.Preload(reqs[i:j])
		}
		if n.clairvoyant != nil {
			for ; i < j; i++ {
				hit[i] = n.clairvoyant.AccessNext(reqs[i], b.Next[i])
			}
			continue
		}
		for ; i < j; i++ {
			hit[i] = n.p.Access(reqs[i])
		}
	}
	return nil
}

func (n *native) CanRemove() bool { _, ok := n.p.(Remover); return ok }

func (n *native) Remove(id uint32) (bool, error) {
	r, ok := n.p.(Remover)
	if !ok {
		return false, errors.New("the policy cannot remove objects")
	}
	return r.Remove(id), nil
}

func (n *native) CanHold() bool { _, ok := n.p.(Holder); return ok }

func (n *native) Has(id uint32) (bool, error) {
	h, ok := n.p.(Holder)
	if !ok {
		return false, errors.New("the policy cannot say what it has")
	}
	return h.Has(id), nil
}

func (n *native) Counts() Counts {
	c := Counts{Evictions: -1, Admissions: -1, AdmittedBytes: -1, StoresMisses: true}
	if e, ok := n.p.(EvictionCounter); ok {
		c.Evictions = e.Evictions()
	}
	if a, ok := n.p.(AdmissionCounter); ok {
		c.StoresMisses = false
		c.Admissions, c.AdmittedBytes = a.Admissions()
	}
	return c
}

func (n *native) Close() error { return nil }
