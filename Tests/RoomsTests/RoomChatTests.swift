import Meetings
import Posix
import Testing
import Units
import Wire

@testable import Rooms

/// What people write in a room, and who reads it.
@Suite("What is written in a room")
struct RoomChatTests {
    /// The texts that somebody is told, and those that are taken back again by an exclamation mark.
    private func texts(_ messages: [RoomMessage]) -> [String] {
        messages.flatMap { message -> [String] in
            switch message {
            case .chat(let change): [change.message.text + (change.message.isPinned ? " (pinned)" : "")]
            case .unsaid: ["!"]
            case .snapshot(let snapshot): snapshot.chat.map(\.text)
            default: []
            }
        }
    }

    @Test("what is written to all is told to all, and what is written to one to the two of them, over a lost connection exactly once")
    func told() throws {
        var table = RoomTable()
        let (host, ben, gina) = (try table.join("Anna", .host), try table.join("Ben", .participant), try table.join("Gina", .guest))
        let since = table.state.seq
        try table.say("hello", by: ben)
        try table.say("only you", to: gina, by: ben)
        try table.say("bye", by: host)
        #expect(texts(table.told(gina, since: since)) == ["hello", "only you", "bye"])
        #expect(texts(table.told(ben, since: since)) == ["hello", "only you", "bye"])
        #expect(texts(table.told(host, since: since)) == ["hello", "bye"], "a host reads no more than others")
        let told = table.told(host, since: since)
        #expect(told.map(\.seq) == [since + 1, since + 2, since + 3])
        if case .passed = told[1] {} else { Issue.record("\(told[1])") }
        // From wherever the page was when its socket was lost.
        for place in 0...3 {
            #expect(texts(table.told(gina, since: since + place)) == Array(["hello", "only you", "bye"].dropFirst(place)))
        }
        let late = try table.join("Late", .participant)
        #expect(table.state.snapshot(for: late)?.chat.map(\.text) == ["hello", "bye"])
        #expect(table.state.snapshot(for: gina)?.chat.map(\.text) == ["hello", "only you", "bye"])
    }

    @Test("each preset writes and reads what it may")
    func presets() throws {
        var table = RoomTable()
        let (host, guest) = (try table.join("Anna", .host), try table.join("Gina", .guest))
        #expect(table.reason { try $0.say("to all", by: guest) } == nil)
        #expect(table.reason { try $0.say("to one", to: host, by: guest) } == .forbidden, "guests receive private messages alone")
        #expect(table.reason { try $0.say("to one", to: guest, by: host) } == nil)
        #expect(table.reason { try $0.say("to oneself", to: host, by: host) } == .forbidden)
        #expect(table.reason { try $0.say("to nobody", to: RoomTable.fresh(), by: host) } == .missing)
        var webinar = RoomTable(.webinar)
        let (chair, viewer) = (try webinar.join("Anna", .host), try webinar.join("Vera", .viewer))
        #expect(webinar.reason { try $0.say("to all", by: viewer) } == .forbidden)
        #expect(webinar.reason { try $0.say("to one", to: viewer, by: chair) } == .forbidden, "who only watches has none")
        try webinar.say("welcome", by: chair)
        #expect(texts(webinar.told(viewer, since: 1000)).contains("welcome"))
        let off = { (table: inout RoomTable) in try table.state.switchChat(false, by: host, at: table.now) }
        #expect(table.reason(off) == nil)
        #expect(table.reason { try $0.say("to all", by: host) } == .off)
        #expect(table.reason { _ = try $0.state.query(before: nil, text: nil, by: guest, at: $0.now) } == .off)
        try table.state.switchChat(true, by: host, at: table.now)
        try table.state.muteChat(of: guest, true, by: host, at: table.now)
        #expect(table.reason { try $0.say("to all", by: guest) } == .forbidden)
        #expect(texts(table.told(guest, since: 1000)).contains("to all"), "and reads on")
        try table.state.muteChat(of: guest, false, by: host, at: table.now)
        #expect(table.reason { try $0.say("to all", by: guest) } == nil)
    }

    @Test("from whom the word was taken has it back when a host gives it, and not by leaving and coming again")
    func muted() throws {
        var table = RoomTable()
        let (host, guest) = (try table.join("Anna", .host), try table.join("Gina", .guest))
        try table.state.muteChat(of: guest, true, by: host, at: table.now)
        _ = table.state.leave(guest)
        let again = try table.join("Gina", .guest)
        #expect(again != guest)
        #expect(table.reason { try $0.say("rude", by: again) } == .forbidden)
        let told = table.state.next(of: again, after: RoomState.Cursor(seq: nil)).messages
        let rights = told.compactMap { message -> RoomRights? in if case .rights(let rights) = message { rights } else { nil } }
        #expect(rights.map(\.isChatMuted) == [true], "and their page is told")
        try table.state.muteChat(of: again, false, by: host, at: table.now)
        _ = table.state.leave(again)
        let last = try table.join("Gina", .guest)
        #expect(table.reason { try $0.say("sorry", by: last) } == nil)
        #expect(table.state.curbs.isEmpty)
    }

    @Test("a meeting without a chat has none, and a host turns none on where the organisation has decided so")
    func off() throws {
        var table = RoomTable(settings: MeetingSettings(chat: false))
        let host = try table.join("Anna", .host)
        #expect(table.reason { try $0.say("x", by: host) } == .off)
        try table.state.switchChat(true, by: host, at: table.now)
        #expect(table.reason { try $0.say("x", by: host) } == nil)
        var locked = RoomTable(settings: MeetingSettings(chat: false), locked: [.chat])
        let other = try locked.join("Anna", .host)
        #expect(locked.reason { try $0.state.switchChat(true, by: other, at: $0.now) } == .off)
        #expect(!locked.state.conditions.hasChat)
    }

    @Test("a text has its bounds, and none that hides or turns others around")
    func hostile() throws {
        var table = RoomTable()
        let host = try table.join("Anna", .host)
        let bad = [
            "", " \n\t", "a\u{202e}b", "a\u{0}b", "a\u{1b}[2J", "\u{feff}", "a\u{200b}b", String(repeating: "x", count: 2001),
            String(repeating: "👩‍👩‍👧‍👦", count: 400),
        ]
        for text in bad { #expect(table.reason { try $0.say(text, by: host) } == .malformed, "\(text.debugDescription)") }
        #expect(table.state.talk.isEmpty && table.state.turns.values.allSatisfy { $0.messages.isUnused }, "what is none costs no turn")
        for text in ["two\nlines\tand more", "<img src=x onerror=alert(1)>", String(repeating: "ü", count: 2000), "👍🏽"] {
            #expect(table.reason { try $0.say(text, by: host) } == nil, "\(text.debugDescription)")
        }
        for text in ["a", String(repeating: "x", count: 101), "a\u{202e}b"] {
            #expect(table.reason { _ = try $0.state.query(before: nil, text: text, by: host, at: $0.now) } == .malformed)
        }
    }

    @Test("the 31st message within a minute is refused, of each person alone, and the first of the next minute is taken")
    func pace() throws {
        var table = RoomTable()
        let (host, guest) = (try table.join("Anna", .host), try table.join("Gina", .guest))
        for number in 0..<30 {
            try table.say("\(number)", by: guest)
            table.wait(.seconds(1))
        }
        #expect(table.reason { try $0.say("one more", by: guest) } == .limited)
        #expect(table.reason { try $0.say("another's", by: host) } == nil)
        table.wait(.seconds(30))
        #expect(table.reason { try $0.say("the first is a minute old", by: guest) } == nil)
        #expect(table.reason { try $0.say("one more", by: guest) } == .limited)
    }

    @Test("one takes back what is one's own, a host what all read, and its text is told to nobody any more")
    func unsaid() throws {
        var table = RoomTable()
        let (host, ben, gina) = (try table.join("Anna", .host), try table.join("Ben", .participant), try table.join("Gina", .guest))
        let since = table.state.seq
        let (own, rude, secret) = (try table.say("own", by: ben), try table.say("rude", by: gina), try table.say("psst", to: gina, by: ben))
        #expect(table.reason { try $0.state.unsay(own, by: gina, at: $0.now) } == .forbidden)
        #expect(table.reason { try $0.state.unsay(secret, by: host, at: $0.now) } == .missing, "a host knows nothing of it")
        #expect(table.reason { try $0.state.unsay(secret, by: gina, at: $0.now) } == .forbidden)
        for (message, who) in [(own, ben), (rude, host), (secret, ben)] {
            #expect(table.reason { try $0.state.unsay(message, by: who, at: $0.now) } == nil)
            #expect(table.reason { try $0.state.unsay(message, by: who, at: $0.now) } == .missing)
        }
        for id in [host, ben, gina] {
            #expect(texts(table.told(id, since: since)).allSatisfy { $0 == "!" })
            #expect(table.told(id, since: since).last?.seq == table.state.seq)
            #expect(table.state.snapshot(for: id)?.chat == [])
        }
        #expect(!"\(table.state.changes)".contains("psst"))
    }

    @Test("hosts pin what all read, up to a bound; it is in every snapshot, however much is written behind it")
    func pins() throws {
        var table = RoomTable { ($0.pins, $0.messages, $0.snapshotText) = (2, 5, 100) }
        let (host, ben) = (try table.join("Anna", .host), try table.join("Ben", .participant))
        let (first, second, third) = (try table.say("first", by: ben), try table.say("second", by: ben), try table.say("third", by: ben))
        let secret = try table.say("psst", to: ben, by: host)
        #expect(table.reason { try $0.state.pin(first, true, by: ben, at: $0.now) } == .forbidden)
        #expect(table.reason { try $0.state.pin(secret, true, by: host, at: $0.now) } == .forbidden)
        #expect(table.reason { try $0.state.pin(RoomTable.fresh(), true, by: host, at: $0.now) } == .missing)
        for message in [first, second] { try table.state.pin(message, true, by: host, at: table.now) }
        #expect(table.reason { try $0.state.pin(third, true, by: host, at: $0.now) } == .limited)
        for number in 0..<20 { try table.say("more \(number)", by: ben) }
        #expect(table.state.talk.count == 7)
        let late = try table.join("Late", .participant)
        let shown = try #require(table.state.snapshot(for: late)?.chat)
        #expect(shown.filter(\.isPinned).map(\.text) == ["first", "second"])
        #expect(shown.map(\.text).last == "more 19")
        try table.state.pin(first, false, by: host, at: table.now)
        #expect(table.state.talk.first?.message.text == "second", "what is not pinned any more is as old as it is")
    }

    @Test("a snapshot has as much text as it takes, the newest of it")
    func snapshot() throws {
        var table = RoomTable { $0.snapshotText = 30 }
        let host = try table.join("Anna", .host)
        for number in 0..<9 { try table.say("message \(number)", by: host) }
        #expect(table.state.snapshot(for: host)?.chat.map(\.text) == ["message 6", "message 7", "message 8"])
        let query = try table.state.query(before: nil, text: nil, by: host, at: table.now)
        #expect(table.state.messages(query).map(\.text) == ["message 6", "message 7", "message 8"], "and so has an answer")
        try table.say(String(repeating: "x", count: 31), by: host)
        #expect(table.state.messages(query).count == 1, "one at least, or nobody would come further")
    }

    @Test("who looks for something finds what is theirs, in any case, and page by page what was before")
    func search() throws {
        var table = RoomTable()
        let (host, ben, gina) = (try table.join("Anna", .host), try table.join("Ben", .participant), try table.join("Gina", .guest))
        try table.say("Tea is READY", by: host)
        try table.say("no tea for me", to: gina, by: ben)
        let last = try table.say("Kaffee für Ärzte", by: ben)
        func found(_ text: String?, before: ChatMessageID? = nil, by id: ParticipantID) throws -> [String] {
            let query = try table.state.query(before: before, text: text, by: id, at: table.now)
            return table.state.messages(query).map(\.text)
        }
        #expect(try found("tea", by: host) == ["Tea is READY"])
        #expect(try found("TEA", by: gina) == ["Tea is READY", "no tea for me"])
        #expect(try found("ärzte", by: host) == ["Kaffee für Ärzte"])
        #expect(try found(nil, before: last, by: ben) == ["Tea is READY", "no tea for me"])
        for _ in 0..<18 { _ = try found(nil, by: host) }
        #expect(table.reason { _ = try $0.state.query(before: nil, text: nil, by: host, at: $0.now) } == .limited)
    }

    @Test("however many search at once, the store goes through a meeting's messages five times a second for all of them")
    func searches() throws {
        var table = RoomTable()
        let people = try (0..<6).map { try table.join("Guest \($0)", .guest) }
        func search(_ id: ParticipantID, _ text: String?) -> RoomRefused.Reason? {
            table.reason { _ = try $0.state.query(before: nil, text: text, by: id, at: $0.now) }
        }
        for id in people.prefix(5) { #expect(search(id, "tea") == nil) }
        #expect(search(people[5], "tea") == .limited)
        #expect(search(people[5], nil) == nil, "what comes next is found by its place")
        table.wait(.seconds(1))
        #expect(search(people[5], "tea") == nil)
    }

    @Test("what was taken back is read by nobody where the store has not heard of it yet, and nothing by who may not read any more")
    func behind() throws {
        var table = RoomTable()
        let (host, ben) = (try table.join("Anna", .host), try table.join("Ben", .participant))
        let (rude, agenda) = (try table.say("rude", by: ben), try table.say("agenda", by: host))
        let query = try table.state.query(before: nil, text: nil, by: ben, at: table.now)
        let kept = table.state.messages(query)
        try table.state.unsay(rude, by: host, at: table.now)
        try table.state.pin(agenda, true, by: host, at: table.now)
        let read = try table.state.messages(query, with: kept, for: ben)
        #expect(read.map(\.id) == [agenda] && read.map(\.isPinned) == [true])
        try table.state.switchChat(false, by: host, at: table.now)
        #expect(table.reason { _ = try $0.state.messages(query, with: kept, for: ben) } == .outdated)
        _ = table.state.leave(ben)
        #expect(table.reason { _ = try $0.state.messages(query, with: kept, for: ben) } == .forbidden)
    }

    @Test("what is kept is told in its order, and nothing of a meeting that keeps no chat")
    func records() throws {
        var table = RoomTable()
        let (host, guest) = (try table.join("Anna", .host), try table.join("Gina", .guest))
        _ = table.state.takeRecords()
        let message = try table.say("hello", by: guest)
        try table.state.pin(message, true, by: host, at: table.now)
        try table.state.unsay(message, by: host, at: table.now)
        let records = table.state.takeRecords()
        guard records.count == 3, case .said(let said, let author, nil) = records[0] else {
            Issue.record("\(records)")
            return
        }
        #expect(said.text == "hello" && author == "pass of Gina")
        #expect(records[1] == .pinned(message, true) && records[2] == .unsaid(message))
        #expect(table.state.takeRecords().isEmpty)
        var silent = RoomTable(settings: MeetingSettings(persistChat: false))
        let other = try silent.join("Anna", .host)
        _ = silent.state.takeRecords()
        try silent.say("hello", by: other)
        #expect(silent.state.takeRecords().isEmpty && silent.state.snapshot(for: other)?.chat.count == 1)
    }
}
