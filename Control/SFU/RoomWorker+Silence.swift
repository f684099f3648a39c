import BondWire

/// Who sends and is not heard any more: of those that vanish without a word nobody knows for `Limits.quiet`, and their session lasts until
/// `Limits.consent`.
extension RoomWorker {
    /// Why a player is not let in, or is told to go.
    static let silence = "whoever sends into the room is not heard any more"

    /// Players that it feeds and that have got nothing yet are fed by another one; where there is none they are told, in place of waiting
    /// for what most likely never comes. Those that have got something stay: it may come back.
    func fallSilent(_ peer: Peer, at now: Microseconds) {
        peer.isSilent = true
        guard !peer.incoming.isEmpty else { return }
        for player in peers.values where subscribers[player.id] == nil && player.waits(for: peer) {
            for track in player.outgoing where track.track?.publisher === peer {
                track.track?.remove(track)
                track.starve()
                feed(track, in: player.room)
            }
            if player.outgoing.contains(where: { $0.track != nil }) {
                player.choose(at: now)
            } else {
                leave(player, Self.silence)
            }
        }
    }

    /// Players that are fed by nobody are fed by it.
    func comeBack(_ peer: Peer, at now: Microseconds) {
        peer.isSilent = false
        guard peer.transport.isOpen else { return }
        for track in peer.incoming { offer(track, in: peer.room, at: now) }
    }
}
