import Foundation
import Support
import Testing
import Units
import Wire

/// What people write in a meeting, by the sockets of their pages.
@Suite(.serialized, .unlessStolen)
struct RoomChatTests {
    private func say(_ text: String, to: ParticipantID? = nil) -> RoomOrder { .say(RoomSaying(text: text, to: to)) }

    private func found(_ page: SeatedPage, _ order: RoomOrder) async throws -> [String] {
        guard case .done(let done) = try await page.ask(order) else { throw SupportFailure("it was refused") }
        return try #require(done.messages).map(\.text)
    }

    @Test(
        "what is written is with everybody at once, and with whoever comes later; what is written to one with the two of them alone",
        .row("CHT-01", "CHT-02", "CHT-03"))
    func written() async throws {
        try await Talk.held { talk in
            let (host, gina) = (try await talk.host(), try await talk.guest("Gina"))
            let ben = try await talk.member(try await user(.member, of: talk.owner, at: talk.desk).0)
            try await host.until("all are there") { $0.people.count == 3 }
            #expect(try await gina.refusal(say("hello\nall <b>of</b> you")) == nil)
            for page in [host, gina, ben] { try await page.until("it is there") { $0.texts == ["hello\nall <b>of</b> you"] } }
            #expect(host.chat[0].from == gina.id && host.chat[0].name == "Gina")
            #expect(try await ben.refusal(say("only you", to: gina.id)) == nil)
            #expect(try await gina.refusal(say("and you", to: ben.id)) == .forbidden, "guests write to all")
            // While her socket is lost.
            try await gina.resume { () async throws in #expect(try await host.refusal(say("welcome")) == nil) }
            for page in [gina, ben] { try await page.until("all of it") { $0.texts.suffix(2) == ["only you", "welcome"] } }
            #expect(gina.snapshots == 1)
            try await host.until("his") { $0.texts == ["hello\nall <b>of</b> you", "welcome"] }

            let late = try await talk.guest("Late")
            #expect(late.texts == ["hello\nall <b>of</b> you", "welcome"])
            #expect(try await found(late, .history(RoomHistory())) == ["hello\nall <b>of</b> you", "welcome"])
            #expect(try await found(ben, .history(RoomHistory())) == ["hello\nall <b>of</b> you", "only you", "welcome"])
            #expect(try await found(ben, .history(RoomHistory(before: ben.chat.last?.id))) == ["hello\nall <b>of</b> you", "only you"])
            #expect(try await found(gina, .search(RoomSearch(text: "ONLY"))) == ["only you"])
            #expect(try await found(host, .search(RoomSearch(text: "only"))).isEmpty)
            #expect(try await late.refusal(.search(RoomSearch(text: "x"))) == .malformed)

            // After the meeting: all of what all could read, and nothing else.
            #expect(try await talk.owner.post("/meetings/\(talk.id)/end").status == 200)
            let kept = try await eventually(within: .seconds(5), "all is kept") { () -> [[String: Any]]? in
                let items = try await talk.owner.get("/meetings/\(talk.id)/chat").items()
                return items.count >= 2 ? items : nil
            }
            #expect(kept.compactMap { $0["text"] as? String } == ["hello\nall <b>of</b> you", "welcome"])
            #expect(kept[0]["name"] as? String == "Gina")
            let first = try await talk.owner.get("/meetings/\(talk.id)/chat?limit=1")
            let next = try first.text("next")
            #expect(try await talk.owner.get("/meetings/\(talk.id)/chat?limit=1&after=\(next)").items().count == 1)
            let (other, _) = try await user(.host, of: talk.owner, at: talk.desk)
            #expect(try await other.get("/meetings/\(talk.id)/chat").status == 403)
            #expect(try await talk.desk.stranger().get("/meetings/\(talk.id)/chat").status == 404)
            #expect(try !talk.desk.said.contains("only you"))
        }
    }

    @Test("the 31st message within a minute is refused, of one person alone", .row("CHT-10"))
    func paced() async throws {
        try await Talk.held { talk in
            let (host, gina) = (try await talk.host(), try await talk.guest("Gina"))
            for number in 0..<30 { #expect(try await gina.refusal(say("message \(number)")) == nil) }
            guard case .refused(let refused) = try await gina.ask(say("one more")) else { throw SupportFailure("it was taken") }
            #expect(refused.reason == .limited && refused.text.contains("30 times in 60 s"))
            #expect(try await host.refusal(say("another's")) == nil)
            try await gina.until("all the others are there") { $0.texts.count == 31 }
            #expect(gina.texts.last == "another's")
        }
    }

    @Test("hosts pin, take away what others wrote, take the word from somebody, and turn the chat off; nobody else does")
    func moderated() async throws {
        try await Talk.held { talk in
            let (host, gina) = (try await talk.host(), try await talk.guest("Gina"))
            try await host.until("she is there") { $0.people.count == 2 }
            #expect(try await gina.refusal(say("rude")) == nil)
            #expect(try await host.refusal(say("agenda")) == nil)
            try await gina.until("both") { $0.texts.count == 2 }
            try await host.until("both") { $0.texts.count == 2 }
            let (rude, agenda) = (gina.chat[0].id, gina.chat[1].id)
            #expect(try await gina.refusal(.pin(RoomPin(message: rude, isPinned: true))) == .forbidden)
            #expect(try await gina.refusal(.unsay(RoomUnsaying(message: agenda))) == .forbidden)
            #expect(try await host.refusal(.pin(RoomPin(message: agenda, isPinned: true))) == nil)
            #expect(try await host.refusal(.unsay(RoomUnsaying(message: rude))) == nil)
            try await gina.until("one is pinned and one is gone") { $0.texts == ["agenda"] && $0.chat[0].isPinned }
            let late = try await talk.guest("Late")
            #expect(late.texts == ["agenda"] && late.chat[0].isPinned)
            #expect(try await found(late, .history(RoomHistory())) == ["agenda"])

            #expect(try await host.refusal(.muteChat(RoomChatMute(participant: gina.id, isMuted: true))) == nil)
            try await gina.until("she is told") { $0.rights?.isChatMuted == true }
            #expect(try await gina.refusal(say("but")) == .forbidden)
            #expect(try await late.refusal(say("I may")) == nil)
            #expect(try await host.refusal(.switchChat(RoomSwitch(isOn: false))) == nil)
            try await late.until("there is no chat") { !$0.conditions.hasChat }
            #expect(try await late.refusal(say("and now?")) == .off)
            #expect(try await host.refusal(say("nor I")) == .off)
            // What the organisation decides for all its meetings holds in those that run.
            let decided = #"{"settings":{"chat":true},"locked":["chat"]}"#
            #expect(try await talk.owner.send("PUT", "/organization/meeting-settings", decided).status == 200)
            try await late.until("it is back") { $0.conditions.hasChat }
            #expect(try await host.refusal(.switchChat(RoomSwitch(isOn: false))) == .off)
        }
    }

    @Test("a meeting that keeps no chat leaves none, and shows it to those who are there")
    func unkept() async throws {
        try await Talk.held(settings: #""guestAccess":"open","persistChat":false"#) { talk in
            let host = try await talk.host()
            #expect(try await host.refusal(say("gone with us")) == nil)
            let gina = try await talk.guest("Gina")
            #expect(gina.texts == ["gone with us"])
            #expect(try await found(gina, .history(RoomHistory())) == ["gone with us"])
            #expect(try await host.refusal(.end) == nil)
            try await gina.until("it is over") { $0.over == .closed }
            #expect(try await talk.owner.get("/meetings/\(talk.id)/chat").items().isEmpty)
        }
    }

    @Test("whatever text comes is shown to others as it is or refused, and control goes on")
    func hostile() async throws {
        try await Talk.held { talk in
            let (host, gina) = (try await talk.host(), try await talk.guest("Gina"))
            let good = ["<img src=x onerror=alert(1)>", "'; DROP TABLE chat_messages; --", "%s%n\\u202e", "a\tb\nc", "{\"type\":\"over\"}"]
            for text in good { #expect(try await gina.refusal(say(text)) == nil, "\(text.debugDescription)") }
            try await host.until("they are there") { $0.texts.count == good.count }
            #expect(host.texts == good)
            for text in ["", "\u{202e}evil", "\u{1b}]0;x\u{7}", "a\u{0}b", "\u{feff}", String(repeating: "x", count: 2001)] {
                #expect(try await gina.refusal(say(text)) == .malformed, "\(text.debugDescription)")
            }
            for text in good where text.isPlain {
                #expect(try await found(host, .search(RoomSearch(text: String(text.prefix(10))))) == [text])
            }
            #expect(host.over == nil && gina.over == nil && host.texts == good)
            // What is no message at all ends its sender alone.
            try await gina.page.socket.send(#"{"id":1,"order":{"type":"say","body":{"text":7}}}"#)
            #expect(try await gina.page.socket.ending(within: .seconds(5)) == 1003)
            #expect(try await host.refusal(say("still here")) == nil)
        }
    }
}
