import Posix
import Testing
import Units
import Wire

@testable import Rooms

/// Who is in a room, whatever becomes of their connections.
@Suite("Who is in a room")
struct RoomStateTests {
    private let start = Instant(nanoseconds: 1_000_000_000)

    /// A room, and the numbers that come from outside of it.
    private struct Table {
        var state: RoomState
        private var connections = 0

        init(of type: MeetingType = .video, _ change: (inout RoomState.Limits) -> Void = { _ in }) {
            var limits = RoomState.Limits()
            change(&limits)
            let plain = RoomCharter.plain(of: RoomStateTests.fresh(), participants: 100)
            let charter = RoomCharter(organization: plain.organization, meeting: nil, type: type, options: plain.options)
            state = RoomState(limits, charter, seq: 1000)
        }

        mutating func connection() -> Int {
            connections += 1
            return connections
        }

        /// - Returns: who it is, their connection, and the one that is replaced.
        mutating func join(
            _ name: String, _ role: RoomRole = .member, pass: String? = nil, account: RoomPass.Account? = nil,
            standing: MeetingRole? = nil, places: Int? = nil, guests: Int? = nil, until end: Int64 = 100, at now: Int64 = 0
        ) throws -> (id: ParticipantID, connection: Int, replaced: Int?) {
            let connection = self.connection()
            let holder = RoomPass.Holder(
                id: pass ?? "pass of \(name)", name: name, role: role, account: account, standing: standing, places: places,
                guestPlaces: guests)
            let (id, replaced) = try state.join(
                holder, until: end, as: RoomStateTests.fresh(), over: connection, resume: token(name), at: now,
                now: Instant(nanoseconds: 1_000_000_000))
            return (id, connection, replaced)
        }

        mutating func resume(_ name: String) throws -> (id: ParticipantID, connection: Int, replaced: Int?) {
            let connection = self.connection()
            let (id, replaced) = try state.resume(token(name), over: connection)
            return (id, connection, replaced)
        }

        /// Two changes.
        mutating func visit() throws {
            let visitor = try join("Cleo")
            _ = state.leave(visitor.id)
        }

        private func token(_ name: String) -> [UInt8] { Array("token of \(name)".utf8) }
    }

    private static func fresh<Kind>() -> ID<Kind> {
        var random = SystemRandomNumberGenerator()
        return ID(ULID(unixMs: unixMilliseconds(), random: &random))
    }

    private func reason(_ body: () throws -> Void) -> RoomRefused.Reason? {
        do {
            try body()
            return nil
        } catch {
            return (error as? RoomRefusal)?.reason
        }
    }

    /// What a page knows that has been told these messages, in their order.
    private struct Page {
        var cursor = RoomState.Cursor(seq: nil)
        var participants: [ParticipantID: RoomParticipant] = [:]
        var snapshots = 0
        var rights = 0
        var offers: [RoomOffer] = []
        var endings: [RoomEnding] = []

        mutating func read(_ state: RoomState, as id: ParticipantID) {
            let (messages, next) = state.next(of: id, after: cursor)
            var seq = cursor.seq
            cursor = next
            for message in messages {
                switch message {
                case .snapshot(let snapshot):
                    snapshots += 1
                    seq = snapshot.seq
                    participants = Dictionary(uniqueKeysWithValues: snapshot.participants.map { ($0.id, $0) })
                case .participant(let change):
                    #expect(change.seq == seq.map { $0 + 1 })
                    seq = change.seq
                    participants[change.participant.id] = change.participant
                case .left(let leaving):
                    #expect(leaving.seq == seq.map { $0 + 1 })
                    seq = leaving.seq
                    #expect(participants.removeValue(forKey: leaving.participant) != nil)
                case .conditions(let change):
                    #expect(change.seq == seq.map { $0 + 1 })
                    seq = change.seq
                case .offer(let offer): offers.append(offer)
                case .ended(let ending): endings.append(ending)
                case .rights: rights += 1
                case .done, .refused, .over, .alive, .chat, .unsaid, .reaction, .cast, .passed, .unknown: Issue.record("\(message)")
                }
            }
            #expect(seq == state.seq)
            let all = state.snapshot(for: id)?.participants ?? []
            #expect(participants == Dictionary(uniqueKeysWithValues: all.map { ($0.id, $0) }))
        }
    }

    @Test("who joins is in the snapshot, and the others are told; who leaves is in it no more")
    func joins() throws {
        var table = Table()
        let anna = try table.join("Anna", .host)
        var page = Page()
        page.read(table.state, as: anna.id)
        let ben = try table.join("Ben", .guest)
        page.read(table.state, as: anna.id)
        #expect(page.snapshots == 1)
        let shown = RoomParticipant(id: ben.id, name: "Ben", role: .guest, isAway: false, tracks: [], meetingRole: .guest)
        #expect(page.participants[ben.id] == shown)
        let remains = table.state.leave(ben.id)
        #expect(remains == RoomState.Remains(peers: [], connection: ben.connection))
        page.read(table.state, as: anna.id)
        #expect(Set(page.participants.keys) == [anna.id])
        #expect(table.state.leave(ben.id) == nil)
        #expect(!table.state.isEmpty(at: 0))
        _ = table.state.leave(anna.id)
        #expect(table.state.isEmpty(at: 0))
    }

    @Test("who is there is told by name, with their account where they have one, until they have left")
    func people() throws {
        var table = Table()
        let account = RoomPass.Account(user: Self.fresh(), session: Self.fresh())
        let zoe = try table.join("Zoe", .host, account: account)
        let ben = try table.join("Ben", .guest)
        _ = table.state.drop(ben.connection, at: start)
        #expect(
            table.state.people == [
                RoomState.Person(name: "Ben", role: .guest, isAway: true, user: nil),
                RoomState.Person(name: "Zoe", role: .host, isAway: false, user: account.user),
            ])
        _ = table.state.leave(zoe.id)
        #expect(table.state.people.map(\.name) == ["Ben"])
    }

    @Test("a room takes as many as it may, and who is in it comes again all the same")
    func full() throws {
        var table = Table { $0.participants = 2 }
        _ = try table.join("Anna")
        let ben = try table.join("Ben")
        #expect(reason { _ = try table.join("Cleo") } == .full)
        #expect(try table.join("Ben").id == ben.id)
        _ = table.state.leave(ben.id)
        _ = try table.join("Cleo")
    }

    @Test("a pass says how many may be there before its holder; more than the server lets in it does not give")
    func bounded() throws {
        var table = Table { $0.participants = 3 }
        let anna = try table.join("Anna", .host)
        _ = try table.join("Ben", .guest, places: 2)
        #expect(reason { _ = try table.join("Cleo", .guest, places: 2) } == .full)
        _ = try table.join("Cleo", .member, places: 50)
        #expect(reason { _ = try table.join("Dora", places: 50) } == .full)
        var expected = RoomState.Headcount()
        (expected.all, expected.hosts, expected.sendingGuests) = (3, 1, 1)
        #expect(table.state.headcount == expected)
        _ = table.state.leave(anna.id)
        #expect(table.state.headcount.hosts == 0 && table.state.headcount.all == 2)
    }

    @Test("guests who may be heard have so many of the places, however many passes were given out; who only watches takes none of those")
    func guests() throws {
        var table = Table(of: .webinar)
        let ben = try table.join("Ben", .guest, guests: 2)
        _ = try table.join("Cleo", .guest, guests: 2)
        #expect(reason { _ = try table.join("Dora", .guest, guests: 2) } == .full)
        _ = try table.join("Vera", .guest, standing: .viewer, guests: 2)
        _ = try table.join("Mona", .member, guests: 2)
        #expect(try table.join("Ben", .guest, guests: 2).id == ben.id)
        _ = table.state.leave(ben.id)
        _ = try table.join("Dora", .guest, guests: 2)
    }

    @Test("a seat whose connection is lost is kept for its time and given back, and nobody's token opens another one")
    func resumes() throws {
        var table = Table { $0.grace = .seconds(60) }
        let anna = try table.join("Anna")
        let ben = try table.join("Ben")
        var page = Page()
        page.read(table.state, as: ben.id)
        #expect(table.state.drop(anna.connection, at: start) == true)
        page.read(table.state, as: ben.id)
        #expect(page.participants[anna.id]?.isAway == true)
        #expect(table.state.deadline == start + .seconds(60))
        #expect(table.state.expire(at: start + .seconds(59)).isEmpty)
        let again = try table.resume("Anna")
        #expect(again.id == anna.id && again.replaced == nil)
        page.read(table.state, as: ben.id)
        #expect(page.participants[anna.id]?.isAway == false && page.snapshots == 1)
        #expect(table.state.deadline == nil)
        #expect(reason { _ = try table.resume("Cleo") } == .resume)
        // The one that was lost says nothing of the one that there is.
        #expect(table.state.drop(anna.connection, at: start) == false)
        #expect(table.state.participant(over: anna.connection) == nil && table.state.participant(over: again.connection) == anna.id)
    }

    @Test("who does not come back in time is gone, and told as lost; their PeerConnections are to be closed")
    func expires() throws {
        var table = Table { $0.grace = .seconds(60) }
        let anna = try table.join("Anna")
        let (publisher, subscriber): (PeerID, PeerID) = (Self.fresh(), Self.fresh())
        _ = table.state.publish(by: publisher, of: anna.id)
        _ = table.state.subscribe(by: subscriber, of: anna.id)
        _ = table.state.drop(anna.connection, at: start)
        #expect(Set(table.state.expire(at: start + .seconds(60))) == [publisher, subscriber])
        #expect(table.state.count == 0)
        #expect(reason { _ = try table.resume("Anna") } == .resume)
        // The pass is as good as before.
        #expect(try table.join("Anna").id != anna.id)
    }

    @Test("a connection is lost 1,000 times, before or behind its answer, and there is never a second participant")
    func drops() throws {
        var table = Table()
        var random = SystemRandomNumberGenerator()
        let ben = try table.join("Ben")
        var anna = try table.join("Anna")
        var page = Page()
        var now = start
        for _ in 0..<1000 {
            now = now + .milliseconds(Int64.random(in: 0...59_000, using: &random))
            switch Int.random(in: 0..<4, using: &random) {
            // Lost, and back by its token.
            case 0:
                _ = table.state.drop(anna.connection, at: now)
                anna = try table.resume("Anna")
            // The answer to the resumption got lost: it comes once more while the socket before still stands.
            case 1:
                let before = anna.connection
                anna = try table.resume("Anna")
                #expect(anna.replaced == before)
                #expect(table.state.drop(before, at: now) == false)
            // The token got lost with the answer: the pass again.
            case 2:
                _ = table.state.drop(anna.connection, at: now)
                anna = try table.join("Anna")
            case _:
                let before = anna.connection
                anna = try table.join("Anna")
                #expect(anna.replaced == before)
            }
            #expect(table.state.expire(at: now).isEmpty)
            #expect(table.state.count == 2)
            if Bool.random(using: &random) { page.read(table.state, as: ben.id) }
        }
        page.read(table.state, as: ben.id)
        #expect(Set(page.participants.keys) == [anna.id, ben.id])
    }

    @Test("who reads slowly gets a snapshot in place of what is forgotten, and the room keeps no more than its bound for them")
    func slow() throws {
        var table = Table { $0.changes = 8 }
        let anna = try table.join("Anna")
        var (quick, slow) = (Page(), Page())
        slow.read(table.state, as: anna.id)
        for number in 0..<100 {
            let guest = try table.join("Guest \(number)")
            quick.read(table.state, as: anna.id)
            _ = table.state.leave(guest.id)
            quick.read(table.state, as: anna.id)
        }
        slow.read(table.state, as: anna.id)
        #expect(quick.snapshots == 1 && slow.snapshots == 2)
        #expect(slow.participants == quick.participants)
        // Eight are known still, nine are not.
        for _ in 0..<4 { try table.visit() }
        slow.read(table.state, as: anna.id)
        #expect(slow.snapshots == 2)
        for _ in 0..<5 { try table.visit() }
        slow.read(table.state, as: anna.id)
        #expect(slow.snapshots == 3)
        // A number of another life of the room, above or below.
        for seq in [0, 990, table.state.seq + 1, .min, .max] {
            slow.cursor = RoomState.Cursor(seq: seq)
            slow.read(table.state, as: anna.id)
        }
        #expect(slow.snapshots == 8)
    }

    @Test("only a host sends somebody away, whose token and pass are good no more, nor another pass of theirs")
    func removes() throws {
        var table = Table()
        let host = try table.join("Anna", .host)
        let account = RoomPass.Account(user: Self.fresh(), session: Self.fresh())
        let member = try table.join("Ben", .member, account: account, until: 100)
        let guest = try table.join("Gina", .guest)
        for one in [member, guest] {
            #expect(reason { _ = try table.state.remove(host.id, by: one.id, at: start, unixSeconds: 0) } == .forbidden)
            #expect(reason { _ = try table.state.remove(one.id, by: one.id, at: start, unixSeconds: 0) } == .forbidden)
        }
        #expect(reason { _ = try table.state.remove(Self.fresh(), by: host.id, at: start, unixSeconds: 0) } == .missing)
        let peer: PeerID = Self.fresh()
        _ = table.state.publish(by: peer, of: member.id)
        let remains = try table.state.remove(member.id, by: host.id, at: start, unixSeconds: 0)
        #expect(remains == [RoomState.Remains(peers: [peer], connection: member.connection)])
        #expect(reason { _ = try table.state.remove(member.id, by: host.id, at: start, unixSeconds: 0) } == .missing)
        #expect(reason { _ = try table.resume("Ben") } == .resume)
        #expect(reason { _ = try table.join("Ben", account: account, at: 99) } == .pass)
        #expect(reason { _ = try table.join("Ben", pass: "another", account: account, at: 99) } == .pass)
        // Their pass would be over by now, and an account has another one whenever it asks for it.
        #expect(reason { _ = try table.join("Ben", pass: "a later one", account: account, until: 1000, at: 700) } == .pass)
        // Who has left cannot be called any more, and the room remembers as long as any meeting lasts.
        for id in [host.id, guest.id] { _ = table.state.leave(id) }
        #expect(reason { _ = try table.state.remove(guest.id, by: host.id, at: start, unixSeconds: 0) } == .forbidden)
        #expect(!table.state.isEmpty(at: 86_399) && table.state.isEmpty(at: 86_400))
        _ = try table.join("Ben", pass: "another", account: account, until: 90_000, at: 86_400)
    }

    @Test("who is sent away for good is so from each of their seats, and for the moment from one")
    func removesAll() throws {
        var table = Table()
        let host = try table.join("Anna", .host)
        let account = RoomPass.Account(user: Self.fresh(), session: Self.fresh())
        let first = try table.join("Ben", account: account)
        let second = try table.join("Ben", pass: "of another page", account: account)
        #expect(first.id != second.id)
        let gone = try table.state.remove(first.id, by: host.id, mayReturn: true, at: start, unixSeconds: 0)
        #expect(gone.map(\.connection) == [first.connection] && table.state.count == 2)
        let third = try table.join("Ben", pass: "of a third page", account: account)
        let all = try table.state.remove(third.id, by: host.id, at: start, unixSeconds: 0)
        #expect(all.map(\.connection) == [third.connection, second.connection] && table.state.count == 1)
    }

    @Test("who came in by an account's session leaves with its end, and nobody else")
    func signedOut() throws {
        var table = Table()
        let (first, second) = (
            RoomPass.Account(user: Self.fresh(), session: Self.fresh()), RoomPass.Account(user: Self.fresh(), session: Self.fresh())
        )
        let anna = try table.join("Anna", .host, account: first)
        let ben = try table.join("Ben", account: second)
        let gina = try table.join("Gina", .guest)
        #expect(table.state.leave(session: first.session).map(\.connection) == [anna.connection])
        #expect(table.state.snapshot(for: ben.id)?.participants.map(\.id).sorted() == [ben.id, gina.id].sorted())
        #expect(table.state.leave(session: nil).map(\.connection) == [ben.connection])
        #expect(table.state.snapshot(for: gina.id)?.participants.map(\.id) == [gina.id])
    }

    @Test("who is less in the organisation now is no more in the room than that, and what a host has made somebody stays")
    func lessened() throws {
        var table = Table()
        let (first, second) = (
            RoomPass.Account(user: Self.fresh(), session: Self.fresh()), RoomPass.Account(user: Self.fresh(), session: Self.fresh())
        )
        let (anna, cleo) = (try table.join("Anna", .host, account: first), try table.join("Cleo", .host))
        let ben = try table.join("Ben", account: second)
        _ = try table.state.promote(ben.id, to: .coHost, by: cleo.id, at: start)
        let told = table.state.seq
        _ = table.state.bound(first.user, to: .host)
        #expect(table.state.seq == told && table.state.shown(anna.id)?.meetingRole == .host)
        _ = table.state.bound(first.user, to: .participant)
        #expect(table.state.shown(anna.id)?.meetingRole == .participant && table.state.shown(anna.id)?.role == .member)
        #expect(reason { try table.state.lock(true, by: anna.id, at: start) } == .forbidden)
        _ = table.state.bound(second.user, to: .participant)
        #expect(table.state.shown(ben.id)?.meetingRole == .coHost)
        #expect(table.state.isHere(first.user))
        #expect(table.state.leave(user: first.user).map(\.connection) == [anna.connection])
        #expect(!table.state.isHere(first.user) && table.state.count == 2)
    }

    @Test("of a meeting's hosts one sends another away who is beneath, and nobody an equal or who is above")
    func ranks() throws {
        var table = Table()
        let (host, other) = (try table.join("Anna", .host), try table.join("Ben", .host))
        let coHost = try table.join("Cleo", .host, standing: .coHost)
        let guest = try table.join("Gina", .guest)
        #expect(reason { _ = try table.state.remove(host.id, by: coHost.id, at: start, unixSeconds: 0) } == .forbidden)
        #expect(reason { _ = try table.state.remove(other.id, by: host.id, at: start, unixSeconds: 0) } == .forbidden)
        #expect(reason { _ = try table.state.remove(host.id, by: guest.id, at: start, unixSeconds: 0) } == .forbidden)
        _ = try table.state.remove(guest.id, by: coHost.id, at: start, unixSeconds: 0)
        _ = try table.state.remove(coHost.id, by: host.id, at: start, unixSeconds: 0)
        #expect(table.state.count == 2)
    }

    @Test("those who were sent away are remembered up to a bound")
    func removedBound() throws {
        var table = Table { $0.removed = 10 }
        let host = try table.join("Anna", .host)
        for number in 0..<50 {
            let guest = try table.join("Guest \(number)", .guest, until: Int64(100 + number))
            _ = try table.state.remove(guest.id, by: host.id, at: start, unixSeconds: 0)
        }
        #expect(reason { _ = try table.join("Guest 49") } == .pass)
        _ = try table.join("Guest 0")
    }

    @Test("what somebody publishes is shown as their worker took it, and only of the PeerConnection that they have")
    func publishes() throws {
        var table = Table()
        let anna = try table.join("Anna")
        let ben = try table.join("Ben")
        var page = Page()
        let tracks = [RoomTrack(mid: "0", kind: .audio, source: .microphone), RoomTrack(mid: "1", kind: .video, source: .camera)]
        let (first, second): (PeerID, PeerID) = (Self.fresh(), Self.fresh())
        #expect(table.state.publish(by: first, of: anna.id) == nil)
        #expect(table.state.published(tracks, by: first) == true)
        page.read(table.state, as: ben.id)
        #expect(page.participants[anna.id]?.tracks == tracks)
        #expect(table.state.publish(by: second, of: anna.id) == first)
        #expect(table.state.published(tracks, by: first) == false)
        page.read(table.state, as: ben.id)
        #expect(page.participants[anna.id]?.tracks == [])
        #expect(table.state.published([tracks[1]], by: second) == true)
        // It ends by itself: the page is told once, whenever it asks.
        #expect(table.state.ended(first, "an older one") == false)
        #expect(table.state.ended(second, "nothing came from it for 30 s") == true)
        var own = Page()
        own.read(table.state, as: anna.id)
        own.read(table.state, as: anna.id)
        #expect(own.endings == [RoomEnding(side: .publish, reason: "nothing came from it for 30 s")])
        #expect(own.participants[anna.id]?.tracks == [])
        // A new one is no reason to hear of the old one again.
        _ = table.state.publish(by: Self.fresh(), of: anna.id)
        var late = Page()
        late.read(table.state, as: anna.id)
        #expect(late.endings.isEmpty)
    }

    @Test("an offer waits for its answer, over a lost connection too, and an answer to another one is outdated")
    func offers() throws {
        var table = Table()
        let anna = try table.join("Anna")
        let (first, second): (PeerID, PeerID) = (Self.fresh(), Self.fresh())
        _ = table.state.subscribe(by: first, of: anna.id)
        #expect(table.state.offered(PeerOffered(peer: first, number: 0, offer: "a", tracks: [])) == true)
        var page = Page()
        page.read(table.state, as: anna.id)
        page.read(table.state, as: anna.id)
        #expect(page.offers.map(\.offer) == ["a"] && page.offers[0].isFirst)
        _ = table.state.drop(anna.connection, at: start)
        _ = try table.resume("Anna")
        page.cursor = RoomState.Cursor(seq: page.cursor.seq)
        page.read(table.state, as: anna.id)
        #expect(page.offers.map(\.number) == [page.offers[0].number, page.offers[0].number])
        let number = page.offers[0].number
        #expect(reason { _ = try table.state.offer(number + 1, of: anna.id) } == .outdated)
        let waiting = try table.state.offer(number, of: anna.id)
        #expect(waiting.peer == first && waiting.number == 0)
        table.state.answered(number, of: anna.id)
        #expect(reason { _ = try table.state.offer(number, of: anna.id) } == .outdated)
        // Another PeerConnection begins anew: its first offer is none of the old one's.
        _ = table.state.offered(PeerOffered(peer: first, number: 1, offer: "b", tracks: []))
        #expect(table.state.subscribe(by: second, of: anna.id) == first)
        #expect(table.state.offered(PeerOffered(peer: first, number: 2, offer: "c", tracks: [])) == false)
        #expect(table.state.offered(PeerOffered(peer: second, number: 0, offer: "d", tracks: [])) == true)
        page.read(table.state, as: anna.id)
        #expect(page.offers.map(\.offer) == ["a", "a", "d"])
        #expect(page.offers[2].isFirst && page.offers[2].number > number + 1)
    }
}
