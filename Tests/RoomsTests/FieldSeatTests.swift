import Testing
import Units
import Wire

@testable import Rooms

/// Live broadcasts among those who are in a room.
@Suite("A live broadcast in a room")
struct FieldSeatTests {
    private func holder(_ pass: String = "output 1") -> RoomPass.Holder {
        RoomPass.Holder(
            id: pass, name: "Van 3", role: .member, account: nil, standing: .participant, places: 2,
            field: RoomPass.Field(broadcast: RoomTable.fresh(), output: RoomTable.fresh()))
    }

    private func enter(_ table: inout RoomTable, _ pass: String = "output 1", until end: Int64 = 100) throws -> ParticipantID {
        try table.state.join(holder(pass), until: end, as: RoomTable.fresh(), over: 900, resume: [1], at: 0, now: table.now).participant
    }

    @Test("is shown by its sender's name as what it is, takes nobody's place and keeps no meeting going")
    func shown() throws {
        var table = RoomTable()
        let anna = try table.join("Anna", .host)
        let van = try enter(&table)
        let shown = try #require(table.state.snapshot(for: anna)?.participants.first { $0.id == van })
        #expect(shown.kind == .field && shown.name == "Van 3" && shown.role == .member && !shown.isAway)
        #expect(table.state.headcount.all == 1 && table.state.headcount.hosts == 1 && table.state.attendance == 1)
        let other = RoomPass.Holder(id: "p", name: "Ben", role: .guest, account: nil, standing: .guest, places: 2)
        _ = try table.state.join(other, until: 100, as: RoomTable.fresh(), over: 901, resume: [2], at: 0, now: table.now)
        #expect(table.state.attendance == 2)
        _ = table.state.leave(anna)
        #expect(table.state.count == 2 && table.state.attendance == 1)
    }

    @Test("comes into a locked room, since it was brought, and again by its own pass into its own seat")
    func locked() throws {
        var table = RoomTable()
        let anna = try table.join("Anna", .host)
        try table.state.lock(true, by: anna, at: table.now)
        let van = try enter(&table)
        #expect(try enter(&table) == van)
        #expect(table.reason { _ = try $0.join("Gina", .guest) } == .locked)
    }

    @Test("may be seen and heard wherever anybody may, without asking", arguments: [MeetingType.video, .webinar, .livestream, .audio])
    func sends(_ type: MeetingType) throws {
        var table = RoomTable(type)
        let van = try enter(&table)
        let sound = RoomTrack(mid: "1", kind: .audio, source: .microphone)
        let picture = RoomTrack(mid: "0", kind: .video, source: .camera)
        #expect(table.state.refusal(of: [sound], by: van) == nil)
        let mayShow = table.state.refusal(of: [picture, sound], by: van) == nil
        #expect(mayShow == (type != .audio), "nobody has a camera in a meeting of sound")
    }

    @Test("leaves when it sends no more, and is known by what it sends by")
    func leaves() throws {
        var table = RoomTable()
        let van = try enter(&table)
        let (peer, another): (PeerID, PeerID) = (RoomTable.fresh(), RoomTable.fresh())
        #expect(table.state.publish(by: peer, of: van) == nil)
        #expect(table.state.program(sendingBy: peer) == van && table.state.program(sendingBy: another) == nil)
        #expect(table.state.publish(by: another, of: van) == peer)
        #expect(table.state.program(sendingBy: peer) == nil && table.state.program(sendingBy: another) == van)
        let output = try #require(table.state.field(of: van)?.output)
        #expect(table.state.field(of: output) == van)
        #expect(table.state.leave(van)?.peers == [another])
        #expect(table.state.isEmpty(at: 0))
    }

    @Test("that a host sends away does not come again by its pass; and there is an end to how many come")
    func bounds() throws {
        var table = RoomTable { $0.programs = 2 }
        let anna = try table.join("Anna", .host)
        let van = try enter(&table)
        _ = try enter(&table, "output 2")
        #expect(table.reason { _ = try enter(&$0, "output 3") } == .full)
        _ = try table.state.remove(van, by: anna, at: table.now, unixSeconds: 0)
        #expect(table.reason { _ = try enter(&$0) } == .pass)
        _ = try enter(&table, "output 3")
    }

    @Test("has attended nothing, however often it comes and goes; that a host sends it away is kept")
    func attends() throws {
        var table = RoomTable()
        let anna = try table.join("Anna", .host)
        let before = try enter(&table)
        _ = table.state.leave(before)
        let van = try enter(&table)
        _ = try table.state.remove(van, by: anna, at: table.now, unixSeconds: 0)
        _ = table.state.leave(anna)
        let kept = table.state.takeRecords().compactMap { record -> String? in
            if case .event(let event) = record { "\(event.kind) \(event.person.name)" } else { nil }
        }
        #expect(kept == ["joined Anna", "kicked Van 3", "left Anna"])
    }

    @Test("and an encoder with a name is one beside it, whom a lock keeps out")
    func encoders() throws {
        var table = RoomTable()
        let holder = RoomPass.Holder(id: "e", name: "Mixer", role: .member, account: nil, standing: .participant, kind: .encoder)
        func join(_ table: inout RoomTable) throws -> ParticipantID {
            try table.state.join(holder, until: 100, as: RoomTable.fresh(), over: 902, resume: [3], at: 0, now: table.now).participant
        }
        let anna = try table.join("Anna", .host)
        let mixer = try join(&table)
        #expect(table.state.shown(mixer)?.kind == .encoder && table.state.attendance == 1 && table.state.field(of: mixer) == nil)
        let peer: PeerID = RoomTable.fresh()
        _ = table.state.publish(by: peer, of: mixer)
        #expect(table.state.program(sendingBy: peer) == mixer && table.state.fields.isEmpty && table.state.idlePrograms.isEmpty)
        _ = table.state.publish(by: nil, of: mixer)
        #expect(table.state.idlePrograms == [mixer])
        _ = table.state.leave(mixer)
        try table.state.lock(true, by: anna, at: table.now)
        #expect(table.reason { _ = try join(&$0) } == .locked)
    }

    @Test("has a pass for that alone, which arrives as it was made")
    func pass() throws {
        let passes = RoomPasses(key: [UInt8](repeating: 7, count: 32))
        let made = RoomPass(room: RoomTable.fresh(), organization: RoomTable.fresh(), use: .publish, exp: 100, holder: holder())
        #expect(passes.read(try passes.text(of: made), at: 99) == made)
        #expect(passes.read(try passes.text(of: made), at: 100) == nil)
    }
}
