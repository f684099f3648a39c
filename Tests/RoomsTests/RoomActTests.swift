import Meetings
import Posix
import Testing
import Units
import Wire

@testable import Rooms

/// What people do to each other and to the room.
@Suite("In a room")
struct RoomActTests {
    /// Who tries, in the order of the signs.
    private static let roles: [MeetingRole] = [.host, .coHost, .participant, .guest]

    /// What each role is told that tries something to somebody of `target`, in a room of its own: `+` done, else the reason's first letter.
    private func signs(
        to target: MeetingRole, _ body: (inout RoomTable, _ actor: ParticipantID, _ target: ParticipantID) throws -> Void
    ) throws -> String {
        try Self.roles.map { role in
            var table = RoomTable()
            let actor = try table.join("Anna", role)
            let one = try table.join("Ben", target)
            let reason = table.reason { try body(&$0, actor, one) }
            return reason.map { String($0.rawValue.prefix(1)) } ?? "+"
        }.joined()
    }

    @Test("who may do what to whom is held to here, whatever a page offers")
    func table() throws {
        typealias Act = (inout RoomTable, ParticipantID, ParticipantID) throws -> Void
        let kick: Act = { _ = try $0.state.remove($2, by: $1, at: $0.now, unixSeconds: 0) }
        let mute: Act = { _ = try $0.state.stop(.audio, of: $2, by: $1, at: $0.now) }
        let hide: Act = { _ = try $0.state.stop(.video, of: $2, by: $1, at: $0.now) }
        let unshare: Act = { _ = try $0.state.stop(.screen, of: $2, by: $1, at: $0.now) }
        let rename: Act = { try $0.state.rename($2, to: "Somebody", by: $1, at: $0.now) }
        let promote: Act = { _ = try $0.state.promote($2, to: .coHost, by: $1, at: $0.now) }
        let silence: Act = { try $0.state.muteChat(of: $2, true, by: $1, at: $0.now) }
        let spotlight: Act = { try $0.state.spotlight([$2], by: $1, at: $0.now) }
        for (name, act) in [("kick", kick), ("rename", rename), ("promote", promote), ("silence", silence)] {
            #expect(try signs(to: .guest, act) == "++ff", "\(name)")
            #expect(try signs(to: .participant, act) == "++ff", "\(name)")
            #expect(try signs(to: .coHost, act) == "+fff", "\(name)")
            #expect(try signs(to: .host, act) == "ffff", "\(name)")
        }
        for (name, act) in [("mute", mute), ("hide", hide), ("unshare", unshare)] {
            #expect(try signs(to: .guest, act) == "++ff", "\(name)")
            #expect(try signs(to: .coHost, act) == "++ff", "\(name)")
            #expect(try signs(to: .host, act) == "+fff", "\(name)")
        }
        #expect(try signs(to: .host, spotlight) == "++ff")
        let ofRoom: [Act] = [
            { table, actor, _ in try table.state.lock(true, by: actor, at: table.now) },
            { table, actor, _ in try table.state.switchChat(false, by: actor, at: table.now) },
            { table, actor, _ in _ = try table.state.stop(.audio, of: nil, by: actor, at: table.now) },
            { table, actor, _ in try table.state.cast(RoomCast(type: "a", payload: "b"), by: actor, at: table.now) },
        ]
        for act in ofRoom { #expect(try signs(to: .guest, act) == "++ff") }
        #expect(try signs(to: .guest) { table, actor, _ in try table.state.end(by: actor) } == "+fff")
    }

    @Test("who is not there does nothing, and nobody does anything to who is not there")
    func nobody() throws {
        var table = RoomTable()
        let host = try table.join("Anna", .host)
        let gone: ParticipantID = RoomTable.fresh()
        #expect(table.reason { _ = try $0.state.stop(.audio, of: gone, by: host, at: $0.now) } == .missing)
        #expect(table.reason { try $0.state.rename(gone, to: "Ben", by: host, at: $0.now) } == .missing)
        #expect(table.reason { try $0.state.spotlight([host, gone], by: host, at: $0.now) } == .missing)
        #expect(table.state.conditions.spotlight.isEmpty)
        for reason in [
            table.reason { _ = try $0.state.stop(.audio, of: host, by: gone, at: $0.now) },
            table.reason { try $0.state.lock(true, by: gone, at: $0.now) }, table.reason { try $0.say("x", by: gone) },
            table.reason { try $0.state.react(.clap, by: gone, at: $0.now) },
        ] { #expect(reason == .forbidden) }
    }

    @Test("what is stopped goes on to nobody until its owner turns it on, and their page is told who has stopped it")
    func stopped() throws {
        var table = RoomTable()
        let (host, guest) = (try table.join("Anna", .host), try table.join("Gina", .guest))
        let peer: PeerID = RoomTable.fresh()
        _ = table.state.publish(by: peer, of: guest)
        _ = table.state.published(
            [RoomTrack(mid: "0", kind: .audio, source: .microphone), RoomTrack(mid: "1", kind: .video, source: .camera)], by: peer)
        let before = table.state.seq
        #expect(try table.state.stop(.audio, of: guest, by: host, at: table.now) == [guest])
        #expect(try table.state.stop(.audio, of: guest, by: host, at: table.now).isEmpty, "it was stopped already")
        #expect(table.state.hold(of: guest) == PeerHold(peer: peer, kinds: [.audio], spared: []))
        #expect(table.state.shown(guest)?.off == [.audio] && table.state.shown(guest)?.stoppedBy == host)
        #expect(table.told(guest, since: before).count == 1)
        _ = try table.state.stop(.video, of: guest, by: host, at: table.now)
        #expect(table.state.hold(of: guest) == PeerHold(peer: peer, kinds: [.audio, .video], spared: []))
        #expect(table.reason { try $0.state.turn(.audio, isOn: true, by: guest, at: $0.now) } == nil)
        #expect(table.state.shown(guest)?.off == [.video] && table.state.shown(guest)?.stoppedBy == nil)
        try table.state.turn(.audio, isOn: false, by: guest, at: table.now)
        #expect(table.state.shown(guest)?.off == [.audio, .video])
        // Another PeerConnection of theirs is no way around it.
        let next: PeerID = RoomTable.fresh()
        _ = table.state.publish(by: next, of: guest)
        let tracks = [RoomTrack(mid: "7", kind: .video, source: .other), RoomTrack(mid: "8", kind: .video, source: .screen)]
        _ = table.state.published(tracks, by: next)
        #expect(table.state.hold(of: guest) == PeerHold(peer: next, kinds: [.audio, .video], spared: ["8"]))
        #expect(table.reason { try $0.state.turn(.screen, isOn: true, by: guest, at: $0.now) } == .forbidden)
    }

    @Test("everybody's microphones are turned off at once, but those of whoever asks and of those above them")
    func muteAll() throws {
        var table = RoomTable()
        let (host, coHost) = (try table.join("Anna", .host), try table.join("Cleo", .coHost))
        let others = [try table.join("Ben", .participant), try table.join("Gina", .guest)]
        #expect(Set(try table.state.stop(.audio, of: nil, by: coHost, at: table.now)) == Set(others))
        #expect(table.state.shown(host)?.off == [] && table.state.shown(coHost)?.off == [])
        #expect(try table.state.stop(.audio, of: nil, by: host, at: table.now) == [coHost])
    }

    @Test("what somebody offers is theirs to send, whatever it is called")
    func sends() throws {
        func track(_ kind: TrackKind, _ source: TrackSource) -> RoomTrack {
            RoomTrack(mid: "\(kind) \(source)", kind: kind, source: source)
        }
        let (sound, picture, screen) = (track(.audio, .microphone), track(.video, .camera), track(.video, .screen))
        var video = RoomTable()
        let (member, guest) = (try video.join("Ben", .participant), try video.join("Gina", .guest))
        #expect(video.state.refusal(of: [sound, picture, screen, track(.audio, .screenSound)], by: member) == nil)
        #expect(video.state.refusal(of: [sound, picture], by: guest) == nil)
        for tracks in [[screen], [picture, track(.video, .other)], [sound, track(.audio, .other)], [track(.audio, .screenSound)]] {
            #expect(video.state.refusal(of: tracks, by: guest)?.reason == .forbidden, "\(tracks)")
        }
        var audio = RoomTable(.audio)
        let speaker = try audio.join("Ben", .participant)
        #expect(audio.state.refusal(of: [sound], by: speaker) == nil)
        #expect(audio.state.refusal(of: [sound, picture], by: speaker)?.reason == .forbidden)
        var webinar = RoomTable(.webinar)
        let viewer = try webinar.join("Vera", .viewer)
        #expect(webinar.state.refusal(of: nil, by: viewer)?.reason == .forbidden)
        #expect(webinar.state.refusal(of: [], by: RoomTable.fresh())?.reason == .outdated)
    }

    @Test("who speaks by leave alone raises a hand, is let, and is off the stage when that is taken back")
    func stage() throws {
        var table = RoomTable(.webinar)
        let host = try table.join("Anna", .host)
        let (first, second) = (try table.join("Ben", .participant), try table.join("Cleo", .participant))
        let viewer = try table.join("Vera", .viewer)
        let sound = [RoomTrack(mid: "0", kind: .audio, source: .microphone)]
        #expect(table.state.refusal(of: nil, by: first)?.reason == .forbidden)
        #expect(table.reason { try $0.state.turn(.audio, isOn: true, by: first, at: $0.now) } == .forbidden)
        try table.state.raise(true, of: nil, by: second, at: table.now)
        try table.state.raise(true, of: nil, by: first, at: table.now)
        let hands = [first, second].compactMap { id in table.state.shown(id)?.hand.map { (hand: $0, id: id) } }
        #expect(hands.sorted { $0.hand < $1.hand }.map(\.id) == [second, first], "in the order in which they were raised")
        #expect(table.reason { try $0.state.raise(true, of: nil, by: viewer, at: $0.now) } == .forbidden, "who only watches")
        #expect(table.reason { try $0.state.raise(true, of: first, by: host, at: $0.now) } == .forbidden, "nobody raises another's")
        #expect(table.reason { try $0.state.raise(false, of: first, by: second, at: $0.now) } == .forbidden)
        #expect(table.reason { _ = try $0.state.allow([.audio], to: first, by: second, at: $0.now) } == .forbidden)
        #expect(table.reason { _ = try $0.state.allow([.screen], to: first, by: host, at: $0.now) } == .missing)
        #expect(table.reason { _ = try $0.state.allow([.audio], to: viewer, by: host, at: $0.now) } == .missing)
        #expect(try table.state.allow([.audio], to: first, by: host, at: table.now) == nil)
        #expect(table.state.shown(first)?.hand == nil && table.state.shown(second)?.hand != nil)
        #expect(table.state.refusal(of: sound, by: first) == nil && table.state.refusal(of: sound, by: second) != nil)
        let peer: PeerID = RoomTable.fresh()
        _ = table.state.publish(by: peer, of: first)
        _ = table.state.published(sound, by: peer)
        #expect(try table.state.allow([], to: first, by: host, at: table.now) == peer, "what they sent is over")
        #expect(table.state.shown(first)?.tracks == [] && table.state.publisher(of: first) == nil)
        try table.state.raise(false, of: second, by: host, at: table.now)
        #expect(table.state.shown(second)?.hand == nil)
    }

    @Test("who is promoted may do more at once, keeps their seat, and less again when that is taken back; what they may not send is over")
    func promotes() throws {
        var table = RoomTable()
        let (host, guest) = (try table.join("Anna", .host), try table.join("Gina", .guest))
        func rights() -> RoomRights? {
            for case .rights(let rights) in table.state.next(of: guest, after: RoomState.Cursor(seq: nil)).messages { return rights }
            return nil
        }
        #expect(rights()?.preset == .videoGuest && rights()?.screenShare == .denied)
        #expect(try table.state.promote(guest, to: .coHost, by: host, at: table.now) == nil)
        #expect(rights()?.preset == .videoHost && rights()?.role == .coHost && rights()?.allowed.contains(.kick) == true)
        #expect(table.state.shown(guest)?.role == .host && table.state.shown(guest)?.meetingRole == .coHost)
        let peer: PeerID = RoomTable.fresh()
        _ = table.state.publish(by: peer, of: guest)
        _ = table.state.published([RoomTrack(mid: "0", kind: .video, source: .screen)], by: peer)
        #expect(table.reason { try $0.state.lock(true, by: guest, at: $0.now) } == nil)
        #expect(try table.state.promote(guest, to: .guest, by: host, at: table.now) == peer)
        #expect(table.reason { try $0.state.lock(false, by: guest, at: $0.now) } == .forbidden)
        #expect(table.reason { _ = try $0.state.promote(guest, to: .viewer, by: host, at: $0.now) } == .missing, "there is no such preset")
        #expect(table.reason { _ = try $0.state.promote(guest, to: .host, by: host, at: $0.now) } == .forbidden)
        #expect(table.reason { _ = try $0.state.promote(host, to: .guest, by: host, at: $0.now) } == .forbidden)
        let kinds = table.state.takeRecords().compactMap { record -> MeetingEventKind? in
            if case .event(let event) = record { event.kind } else { nil }
        }
        #expect(kinds == [.joined, .joined, .promoted, .demoted])
    }

    @Test("who was made less than their pass says is so when they come again, and more than it says until they leave")
    func demoted() throws {
        var table = RoomTable()
        let (host, coHost) = (try table.join("Anna", .host), try table.join("Cleo", .coHost))
        _ = try table.state.promote(coHost, to: .guest, by: host, at: table.now)
        _ = table.state.leave(coHost)
        let again = try table.join("Cleo", .coHost)
        #expect(table.state.shown(again)?.meetingRole == .guest && table.state.shown(again)?.role == .member)
        #expect(table.reason { try $0.state.lock(true, by: again, at: $0.now) } == .forbidden)
        _ = try table.state.promote(again, to: .coHost, by: host, at: table.now)
        _ = table.state.leave(again)
        let back = try table.join("Cleo", .coHost)
        #expect(table.state.shown(back)?.meetingRole == .coHost && table.state.shown(back)?.role == .host)
        let guest = try table.join("Gina", .guest)
        _ = try table.state.promote(guest, to: .coHost, by: host, at: table.now)
        _ = table.state.leave(guest)
        let guestAgain = try table.join("Gina", .guest)
        #expect(table.state.shown(guestAgain)?.meetingRole == .guest && table.state.curbs.isEmpty)
    }

    @Test("a locked room lets hosts in alone, and whoever has a seat already")
    func locks() throws {
        var table = RoomTable()
        let host = try table.join("Anna", .host)
        let guest = try table.join("Gina", .guest)
        try table.state.lock(true, by: host, at: table.now)
        #expect(table.reason { try $0.join("Otto", .guest) } == .locked)
        #expect(table.reason { try $0.join("Ben", .participant) } == .locked)
        #expect(try table.join("Gina", .guest) == guest)
        try table.join("Cleo", .coHost)
        try table.state.lock(false, by: host, at: table.now)
        try table.join("Otto", .guest)
    }

    @Test("what a host has decided holds when everybody has gone for a while, and a room in which nothing was is forgotten")
    func remembered() throws {
        var table = RoomTable()
        let (host, guest) = (try table.join("Anna", .host), try table.join("Gina", .guest))
        try table.state.lock(true, by: host, at: table.now)
        try table.state.muteChat(of: guest, true, by: host, at: table.now)
        for id in [host, guest] { _ = table.state.leave(id) }
        #expect(!table.state.isEmpty(at: 0))
        #expect(table.reason { try $0.join("Gina", .guest) } == .locked)
        let again = try table.join("Anna", .host)
        try table.state.lock(false, by: again, at: table.now)
        let muted = try table.join("Gina", .guest)
        for id in [again, muted] { _ = table.state.leave(id) }
        #expect(!table.state.isEmpty(at: 0), "she may not write yet")
        let (last, back) = (try table.join("Anna", .host), try table.join("Gina", .guest))
        try table.state.muteChat(of: back, false, by: last, at: table.now)
        for id in [last, back] { _ = table.state.leave(id) }
        #expect(table.state.isEmpty(at: 0))
    }

    @Test("who is sent away for the moment comes again, and who is banned does not")
    func kicks() throws {
        var table = RoomTable()
        let host = try table.join("Anna", .host)
        let guest = try table.join("Gina", .guest)
        _ = try table.state.remove(guest, by: host, mayReturn: true, at: table.now, unixSeconds: 0)
        let again = try table.join("Gina", .guest)
        #expect(again != guest)
        try table.state.spotlight([again], by: host, at: table.now)
        _ = try table.state.remove(again, by: host, at: table.now, unixSeconds: 0)
        #expect(table.state.conditions.spotlight.isEmpty, "who is gone is not large for anybody")
        #expect(table.reason { try $0.join("Gina", .guest) } == .pass)
    }

    @Test("who has no list of participants is told of those alone whom the meeting shows, and of all once they have one, without a gap")
    func sight() throws {
        var table = RoomTable(.webinar)
        let host = try table.join("Anna", .host)
        let (viewer, speaker) = (try table.join("Vera", .viewer), try table.join("Ben", .participant))
        let other = try table.join("Otto", .viewer)
        #expect(Set(table.state.snapshot(for: viewer)?.participants.map(\.id) ?? []) == [host, viewer])
        #expect(table.state.snapshot(for: host)?.participants.count == 4)
        let since = table.state.seq
        let peer: PeerID = RoomTable.fresh()
        _ = try table.state.allow([.video], to: speaker, by: host, at: table.now)
        _ = table.state.publish(by: peer, of: speaker)
        _ = table.state.published([RoomTrack(mid: "0", kind: .video, source: .camera)], by: peer)
        _ = table.state.ended(peer, "gone")
        _ = table.state.leave(other)
        try table.state.react(.heart, by: speaker, at: table.now)
        let told = table.told(viewer, since: since)
        guard told.count == 4, case .participant(let shown) = told[0], case .left(let hidden) = told[1], case .passed = told[2],
            case .reaction(let reacted) = told[3]
        else {
            Issue.record("\(told)")
            return
        }
        #expect(shown.participant.id == speaker && hidden.participant == speaker && hidden.reason == .unseen && reacted.participant == nil)
        #expect(told.last?.seq == table.state.seq)
        // From the stage's first moment on they see everybody, and their page is told anew.
        let known = table.state.seq
        _ = try table.state.promote(viewer, to: .participant, by: host, at: table.now)
        guard case .snapshot(let snapshot)? = table.told(viewer, since: known).first else {
            Issue.record("no snapshot")
            return
        }
        #expect(Set(snapshot.participants.map(\.id)) == [host, viewer, speaker])
        #expect(table.told(viewer, since: snapshot.seq).isEmpty)
        #expect(table.reason { try $0.say("hello", to: viewer, by: host) } == nil)
    }

    @Test("commands, signs, reactions and casts have a pace each, of each person by whichever seat, and what all show together has one too")
    func paces() throws {
        var table = RoomTable()
        let host = try table.join("Anna", .host)
        let guest = try table.join("Gina", .guest)
        for turn in 0..<60 { try table.state.lock(turn % 2 == 0, by: host, at: table.now) }
        #expect(table.reason { try $0.state.lock(true, by: host, at: $0.now) } == .limited)
        for turn in 0..<30 { try table.state.turn(.audio, isOn: turn % 2 == 0, by: guest, at: table.now) }
        #expect(table.reason { try $0.state.turn(.audio, isOn: true, by: guest, at: $0.now) } == .limited)
        // Whoever leaves and comes again is the same.
        _ = table.state.leave(guest)
        let again = try table.join("Gina", .guest)
        #expect(table.reason { try $0.state.raise(true, of: nil, by: again, at: $0.now) } == .limited)
        table.wait(.seconds(30))
        #expect(table.reason { try $0.state.raise(true, of: nil, by: again, at: $0.now) } == nil)
        for _ in 0..<10 { try table.state.react(.party, by: again, at: table.now) }
        #expect(table.reason { try $0.state.react(.party, by: again, at: $0.now) } == .limited)
        let others = try (0..<3).map { try table.join("Guest \($0)", .guest) }
        for other in others.prefix(2) { for _ in 0..<10 { try table.state.react(.clap, by: other, at: table.now) } }
        #expect(table.reason { try $0.state.react(.clap, by: others[2], at: $0.now) } == .limited, "thirty within a second")
        table.wait(.seconds(1))
        #expect(table.reason { try $0.state.react(.clap, by: others[2], at: $0.now) } == nil)
    }

    @Test("who comes and goes without end is told to wait, by whichever pass; whoever has a seat keeps it")
    func arrivals() throws {
        var table = RoomTable()
        let host = try table.join("Anna", .host)
        for _ in 0..<60 {
            let guest = try table.join("Gina", .guest)
            _ = table.state.leave(guest)
        }
        let told = table.state.seq
        #expect(table.reason { try $0.join("Gina", .guest) } == .limited)
        #expect(table.state.seq == told && table.state.count == 1, "nobody hears of it")
        for _ in 0..<100 { #expect(try table.join("Anna", .host) == host) }
        table.wait(.seconds(60))
        #expect(table.reason { try $0.join("Gina", .guest) } == nil)
    }

    @Test("who comes and goes leaves no turns behind for ever, and a cast has its bounds")
    func bounds() throws {
        var table = RoomTable { $0.participants = 2 }
        let host = try table.join("Anna", .host)
        for number in 0..<50 {
            let guest = try table.join("Guest", .guest, pass: "pass \(number)")
            try table.state.react(.sad, by: guest, at: table.now)
            _ = table.state.leave(guest)
            table.wait(.seconds(60))
        }
        #expect(table.state.turns.count <= 9)
        for cast in [
            RoomCast(type: "", payload: ""), RoomCast(type: String(repeating: "a", count: 65), payload: ""),
            RoomCast(type: "A b", payload: ""), RoomCast(type: "a", payload: String(repeating: "x", count: 4097)),
        ] { #expect(table.reason { try $0.state.cast(cast, by: host, at: $0.now) } == .malformed) }
        #expect(table.reason { try $0.state.spotlight(Array(repeating: host, count: 10), by: host, at: $0.now) } == .limited)
        try table.state.spotlight(Array(repeating: host, count: 9), by: host, at: table.now)
        #expect(table.state.conditions.spotlight == [host])
    }
}
