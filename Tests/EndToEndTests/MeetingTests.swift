import Foundation
import Support
import Testing
import Units
import Wire

/// Meetings, as their host, a member, another host and somebody from outside have them.
@Suite(.serialized, .unlessStolen)
struct MeetingTests {
    @Test("a meeting is in one of five states, and what its state does not allow is refused and changes nothing", .row("MTG-09"))
    func states() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            func make(_ body: String) async throws -> String { try await owner.post("/meetings", body).text("id") }
            let later = #""scheduledStart":"2099-01-01T00:00:00.000Z""#
            /// How to get a meeting into each state, and what may be done with it there.
            let ways: [(state: String, body: String, steps: [String], moves: [String: String])] = [
                ("draft", #"{"title":"A","draft":true}"#, [], ["start": "active", "cancel": "cancelled", "schedule": "scheduled"]),
                ("scheduled", #"{"title":"B",\#(later)}"#, [], ["start": "active", "cancel": "cancelled", "schedule": "scheduled"]),
                ("active", #"{"title":"C","draft":true}"#, ["start"], ["end": "ended", "cancel": "cancelled"]),
                ("ended", #"{"title":"D","draft":true}"#, ["start", "end"], ["cancel": "cancelled"]),
                ("cancelled", #"{"title":"E","draft":true}"#, ["cancel"], [:]),
            ]
            func move(_ id: String, _ name: String) async throws -> Reply {
                guard name == "schedule" else { return try await owner.post("/meetings/\(id)/\(name)") }
                return try await owner.send("PATCH", "/meetings/\(id)", "{\(later)}")
            }
            for way in ways {
                // One for all of it: ten may be made within a minute.
                let id = try await make(way.body)
                for step in way.steps { #expect(try await move(id, step).status == 200) }
                #expect(try await owner.get("/meetings/\(id)").text("state") == way.state)
                for name in ["schedule", "start", "end", "cancel"] where way.moves[name] == nil {
                    let answer = try await move(id, name)
                    #expect(answer.status == 409 && answer.problem == "conflict", "\(name) of one that is \(way.state): \(answer)")
                    #expect(try await owner.get("/meetings/\(id)").text("state") == way.state)
                }
                // What leads back to the same state comes first.
                for name in ["schedule", "end", "cancel"] {
                    guard let next = way.moves[name], !(way.state == "draft" && name == "schedule") else { continue }
                    let answer = try await move(id, name)
                    #expect(try answer.text("state") == next, "\(name) of one that is \(way.state): \(answer)")
                    guard next == way.state else { break }
                }
            }
            let now = try await owner.post("/meetings", #"{"title":"Now"}"#)
            #expect(try now.text("state") == "active" && now.object()["room"] is String && now.object()["startedAt"] is String)
            let draft = try await make(#"{"title":"F","draft":true}"#)
            #expect(try await move(draft, "schedule").text("state") == "scheduled")
            #expect(try await move(draft, "start").text("state") == "active")
            #expect(try await owner.get("/meetings?state=active").items().count == 2)
        }
    }

    @Test("guests come to a meeting as it lets them, or else as its organisation does, and without guests none does", .row("MTG-14"))
    func guestAccess() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            let made = try await owner.post("/meetings", #"{"title":"Talk"}"#)
            let (id, slug) = (try made.text("id"), try made.text("slug"))
            /// What somebody from outside is told: that they wait, that they come in, or that there is nothing.
            func told() async throws -> String {
                let answer = try await desk.visitor().post("/join/lookup", #"{"slug":"\#(slug)"}"#)
                guard answer.status == 200 else { return "\(answer.status)" }
                return try answer.object()["waits"] as? Bool == true ? "waits" : "enters"
            }
            func meeting(_ access: String?) async throws {
                let settings = access.map { #"{"guestAccess":"\#($0)"}"# } ?? "{}"
                #expect(try await owner.send("PATCH", "/meetings/\(id)", #"{"settings":\#(settings)}"#).status == 200)
            }
            func organization(_ settings: String, locked: String = "[]") async throws {
                let body = #"{"settings":\#(settings),"locked":\#(locked)}"#
                let answer = try await owner.send("PUT", "/organization/meeting-settings", body)
                #expect(answer.status == 200, "\(answer)")
            }
            #expect(try await told() == "waits", "whoever has the address knocks")
            for (access, words) in [("open", "enters"), ("disabled", "404"), ("link_only", "waits")] {
                try await organization(#"{"guestAccess":"\#(access)"}"#)
                #expect(try await told() == words, "the organisation says \(access)")
                for (own, words) in [("open", "enters"), ("disabled", "404"), ("link_only", "waits")] {
                    try await meeting(own)
                    #expect(try await told() == words, "the organisation says \(access), the meeting \(own)")
                }
                try await meeting(nil)
                #expect(try await told() == words, "the meeting says nothing any more")
            }
            try await meeting("open")
            try await organization(#"{"guestsAllowed":false}"#)
            #expect(try await told() == "404", "there are no guests in this organisation")
            try await organization(#"{"guestAccess":"link_only"}"#, locked: #"["guestAccess"]"#)
            #expect(try await told() == "waits", "what is locked no meeting decides")
            let shown = try await owner.get("/meetings/\(id)")
            #expect(try shown.object()["locked"] as? [String] == ["guestAccess"])
            #expect(try (shown.object()["effective"] as? [String: Any])?["guestAccess"] as? String == "link_only")
            let refused = try await owner.send("PATCH", "/meetings/\(id)", #"{"settings":{"guestAccess":"disabled"}}"#)
            #expect(try refused.status == 422 && refused.fields == ["settings.guestAccess"])
        }
    }

    @Test("a host runs what they have made, an admin all, and a member none; each is told what they are in it")
    func people() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            let (host, hostID) = try await user(.host, of: owner, at: desk)
            let (member, _) = try await user(.member, of: owner, at: desk)
            let made = try await host.post("/meetings", #"{"title":"Talk","type":"audio"}"#)
            let id = try made.text("id")
            #expect(try made.text("createdBy") == hostID && made.text("role") == "host" && made.text("preset") == "audio_host")
            #expect(try made.object()["mayRun"] as? Bool == true)
            let seen = try await member.get("/meetings/\(id)")
            #expect(try seen.text("role") == "participant" && seen.text("preset") == "audio_participant")
            #expect(try seen.object()["mayRun"] as? Bool == false)
            let others = try await owner.post("/meetings", #"{"title":"Board"}"#).text("id")
            #expect(try await host.get("/meetings/\(others)").text("role") == "participant")
            let attempts: [(method: String, path: String, body: String?)] = [
                ("PATCH", "", #"{"title":"mine"}"#), ("POST", "/start", nil), ("POST", "/end", nil), ("POST", "/cancel", nil),
                ("GET", "/guest-links", nil), ("POST", "/guest-links", #"{"label":"x"}"#),
                ("DELETE", "/guest-links/01ARZ3NDEKTSV4RRFFQ69G5FAV", nil),
            ]
            for (method, path, body) in attempts {
                let answer = try await host.send(method, "/meetings/\(others)\(path)", body)
                #expect(answer.status == 403, "\(method) \(path): \(answer)")
            }
            #expect(try await owner.get("/meetings/\(others)").text("title") == "Board")
            #expect(try await owner.post("/meetings/\(id)/end").text("state") == "ended")
            // A host of the organisation, where it says so.
            let rule = #"{"settings":{"hostsRunAll":true},"locked":[]}"#
            #expect(try await owner.send("PUT", "/organization/meeting-settings", rule).status == 200)
            #expect(try await host.get("/meetings/\(others)").text("role") == "co_host")
            #expect(try await member.get("/meetings?slug=\(made.text("slug").uppercased())").items().count == 1)
            #expect(try await desk.stranger().get("/meetings?slug=\(made.text("slug"))").items().isEmpty)
            // Nobody gets into its room beside it.
            let room = try await owner.get("/meetings/\(others)").text("room")
            #expect(try await owner.get("/rooms").items().isEmpty)
            #expect(try await owner.post("/rooms/\(room)/passes", #"{"use":"play"}"#).status == 404)
            #expect(try await owner.post("/rooms/\(room)/tickets").status == 404)
            #expect(try await owner.send("DELETE", "/rooms/\(room)").status == 404)
            let presets = try await member.get("/meeting-presets").items()
            #expect(presets.count == 13)
        }
    }

    @Test(
        "to somebody from outside whatever is not for guests is what is not there, and who asks too often waits; a link ends with its time",
        .row("SEC-10", "SEC-12"))
    func lookup() async throws {
        try await atFrontDesk({ $0.guestJoinsPerAddress = 3 }) { desk in
            let owner = try await desk.owner()
            let stranger = try await desk.stranger()
            let made = try await owner.post("/meetings", #"{"title":"Talk","type":"webinar"}"#)
            let (id, slug) = (try made.text("id"), try made.text("slug"))
            let draft = try await owner.post("/meetings", #"{"title":"Draft","draft":true}"#).text("slug")
            let closed = try await stranger.post("/meetings", #"{"title":"Board","settings":{"guestAccess":"disabled"}}"#).text("slug")
            let link = try await owner.post("/meetings/\(id)/guest-links", #"{"label":"Speaker","preset":"webinar_guest"}"#)
            let url = try link.text("url")
            #expect(url.contains("/m/\(slug)#token="))
            let token = try #require(url.split(separator: "=").last)
            let visitor = desk.visitor()
            func ask(_ slug: String, _ more: String = "") async throws -> Reply {
                try await visitor.post("/join/lookup", #"{"slug":"\#(slug)"\#(more)}"#)
            }
            let spoken = "\(slug.prefix(3))-\(slug.dropFirst(3).prefix(4))-\(slug.suffix(3))".uppercased()
            for found in [try await ask(slug), try await ask(spoken)] {
                #expect(try found.text("title") == "Talk" && found.text("preset") == "webinar_viewer")
                #expect(try Set(found.object().keys) == ["title", "type", "state", "organization", "slug", "waits", "preset"])
            }
            let speaker = try await ask(slug, #","token":"\#(token)""#)
            #expect(try speaker.text("preset") == "webinar_guest" && speaker.object()["waits"] as? Bool == true)
            #expect(try await ask(slug, #","token":"another""#).status == 410)
            // Four hours where nobody says how long, of one meeting alone, and kept as a hash.
            let other = try await owner.post("/meetings", #"{"title":"Other"}"#).text("slug")
            #expect(try await ask(other, #","token":"\#(token)""#).status == 410, "it is another meeting's")
            #expect(try await sqlite(desk, "SELECT expires_at - created_at FROM guest_links") == "14400000")
            #expect(try await sqlite(desk, "SELECT length(hash) FROM guest_links") == "32")
            let short = try await owner.post("/meetings/\(id)/guest-links", #"{"label":"Late","expiresInSeconds":600}"#).text("url")
            let late = try #require(short.split(separator: "=").last)
            #expect(try await ask(slug, #","token":"\#(late)""#).status == 200)
            _ = try await sqlite(desk, "UPDATE guest_links SET expires_at = 1000 WHERE label = 'Late'")
            #expect(try await ask(slug, #","token":"\#(late)""#).status == 410)
            func knock(_ slug: String, _ name: String, _ more: String = "") async throws -> Reply {
                try await desk.visitor().post("/join/guest", #"{"slug":"\#(slug)","name":"\#(name)"\#(more)}"#)
            }
            let refused = try await knock(slug, "Late", #","token":"\#(late)""#)
            #expect(refused.status == 410 && refused.problem == "gone", "\(refused)")
            // Three of one address come to a meeting, and to another one as many.
            for name in ["Vera", "Viktor", "Viola"] { #expect(try await knock(slug, name).text("state") == "enters") }
            let fourth = try await knock(slug, "Volker")
            #expect(fourth.status == 429 && fourth.headers["retry-after"] != nil, "\(fourth)")
            #expect(try await knock(other, "Volker").text("state") == "waits")
            // Each is answered alike.
            let nothing = try await ask("0000000000")
            #expect(nothing.status == 404)
            for answer in [
                try await ask(draft), try await ask(closed), try await ask("not an address"),
                try await ask(slug, #","organization":"other""#), try await ask(closed, #","token":"\#(token)""#),
            ] { #expect(answer.status == 404 && answer.body == nothing.body, "\(answer)") }
            #expect(try await owner.post("/meetings/\(id)/end").status == 200)
            #expect(try await ask(slug).body == nothing.body)
            #expect(try await ask(slug, #","token":"\#(token)""#).body == nothing.body)
            #expect(try !desk.said.contains(token))
            var last = nothing
            for _ in 0..<30 where last.status != 429 { last = try await ask(slug) }
            #expect(last.status == 429 && last.headers["retry-after"] != nil)
        }
    }

    @Test(
        "a guest waits until a host lets them in, joins the meeting's room by a pass, and its end is told; the link is used up by that",
        .row("MTG-35", "MTG-40", "MTG-41"))
    func guests() async throws {
        let clock = try WallClock()
        try await atFrontDesk({ $0.inside = clock.command }) { desk in
            let owner = try await desk.owner()
            let (member, _) = try await user(.member, of: owner, at: desk)
            let made = try await owner.post("/meetings", #"{"title":"Talk"}"#)
            let (id, slug) = (try made.text("id"), try made.text("slug"))
            try await outwait(slug, of: id, owner, desk, clock)
            let link = try await owner.post("/meetings/\(id)/guest-links", #"{"label":"Gina"}"#)
            let token = try #require(try link.text("url").split(separator: "=").last)
            let gina = desk.visitor()
            let body = #"{"slug":"\#(slug)","token":"\#(token)","name":"Gina"}"#
            let knock = try await gina.post("/join/guest", body)
            #expect(try knock.text("state") == "waits" && knock.text("preset") == "video_guest" && knock.object()["pass"] == nil)
            let again = #"{"token":"\#(try knock.text("waiting"))"}"#
            #expect(try await gina.post("/join/waiting", again).text("state") == "waits")
            #expect(try await gina.post("/join/waiting", #"{"token":"another"}"#).status == 410)
            // Members wait for nobody here.
            #expect(try await member.post("/meetings/\(id)/join").text("state") == "enters")

            let waiting = try await owner.get("/meetings/\(id)/waiting").items()
            #expect(waiting.map { $0["name"] as? String } == ["Gina"])
            let guest = try #require(waiting.first?["id"] as? String)
            #expect(try await member.get("/meetings/\(id)/waiting").status == 403)
            #expect(try await desk.stranger().post("/meetings/\(id)/waiting/\(guest)/admit").status == 404)
            #expect(try await gina.post("/join/waiting", again).text("state") == "waits")
            #expect(try await owner.post("/meetings/\(id)/waiting/\(guest)/admit").status == 204)
            #expect(try await owner.post("/meetings/\(id)/waiting/\(guest)/admit").status == 404)
            let admitted = try await owner.get("/meetings/\(id)/events").items()
            #expect(admitted.map { "\($0["kind"] ?? "") \($0["name"] ?? "")" } == ["admitted Gina"] && admitted[0]["actor"] is String)

            var passes: Set<String> = []
            for _ in 0..<2 {
                let entered = try await gina.post("/join/waiting", again)
                #expect(try entered.text("state") == "enters")
                passes.insert(try #require((try entered.object()["pass"] as? [String: Any])?["token"] as? String))
            }
            // However often it is asked for.
            let pass = try #require(passes.count == 1 ? passes.first : nil)
            #expect(try await gina.post("/join/guest", body).status == 410, "the link was for one")
            let page = try await RawPage(at: desk)
            let entry = try await page.enter(pass)
            let room = try await owner.get("/meetings/\(id)").text("room")
            #expect(entry.role == .guest && entry.room.text == room)
            #expect(try await owner.post("/meetings/\(id)/end").status == 200)
            #expect(try await page.over() == .closed)
            let late = try await RawPage(at: desk)
            #expect(try await late.ask(.join(RoomJoin(token: Secret(pass)))).refusal == .pass)
            #expect(try !desk.said.contains(pass) && !desk.said.contains(token))
        }
    }

    @Test(
        "members wait for a host where there is a waiting room, who only watches sends nothing, and a full meeting lets nobody in",
        .row("MTG-39", "SEC-13", "ANA-01"))
    func seats() async throws {
        try await atFrontDesk({ $0.quotas = ["meetings": 1] }) { desk in
            let owner = try await desk.owner()
            let (member, _) = try await user(.member, of: owner, at: desk)
            let settings = #"{"guestAccess":"open","waitingRoom":true,"maxParticipants":3}"#
            let later = #""scheduledStart":"2099-01-01T00:00:00.000Z""#
            let made = try await owner.post("/meetings", #"{"title":"Talk","type":"webinar","settings":\#(settings),\#(later)}"#)
            let (id, slug) = (try made.text("id"), try made.text("slug"))
            func page(_ answer: Reply) async throws -> (RawPage, RoomEntry) {
                #expect(try answer.text("state") == "enters")
                let token = try #require((try answer.object()["pass"] as? [String: Any])?["token"] as? String)
                let page = try await RawPage(at: desk)
                return (page, try await page.enter(token))
            }
            #expect(try await member.post("/meetings/\(id)/join").text("state") == "waits")
            // A host begins it by coming.
            let before = try await owner.get("/meetings/\(id)").object()["startedAt"] as? String
            #expect(before == nil)
            let (host, hostEntry) = try await page(try await owner.post("/meetings/\(id)/join"))
            #expect(hostEntry.role == .host)
            let began = try await owner.get("/meetings/\(id)")
            #expect(try began.text("state") == "active" && began.object()["startedAt"] is String)
            let (listener, memberEntry) = try await page(try await member.post("/meetings/\(id)/join"))
            #expect(memberEntry.role == .member)
            let spare = try await desk.visitor().post("/join/guest", #"{"slug":"\#(slug)","name":"Sven"}"#)
            let (viewer, entry) = try await page(try await desk.visitor().post("/join/guest", #"{"slug":"\#(slug)","name":"Vera"}"#))
            #expect(entry.role == .guest)
            #expect(try await viewer.ask(.publish(RoomPublication(offer: "v=0\r\n", tracks: []))).refusal == .forbidden)
            #expect(try await listener.ask(.publish(RoomPublication(offer: "v=0\r\n", tracks: []))).refusal == .forbidden)
            #expect(try await host.ask(.publish(RoomPublication(offer: "v=0\r\n", tracks: []))).refusal != .forbidden)
            // There is no place left, for a new one and for who has a pass already.
            let full = try await desk.visitor().post("/join/guest", #"{"slug":"\#(slug)","name":"Otto"}"#)
            #expect(full.status == 409 && full.problem == "conflict", "\(full)")
            #expect(try full.text("detail") == "the meeting is full: 3 may be in it")
            let token = try #require((try spare.object()["pass"] as? [String: Any])?["token"] as? String)
            let late = try await RawPage(at: desk)
            #expect(try await late.ask(.join(RoomJoin(token: Secret(token)))).refusal == .full)
            let second = try await owner.post("/meetings", #"{"title":"Second"}"#)
            #expect(try second.status == 429 && second.text("detail").contains("all 1 active meetings are in use"), "\(second)")
            try await history(of: id, owner)
            try await guestPlaces(owner, desk)
        }
    }

    /// Somebody who waits, and asks all the while, does so for ten minutes and no longer.
    private func outwait(_ slug: String, of id: String, _ owner: Visitor, _ desk: FrontDesk, _ clock: WallClock) async throws {
        let guest = desk.visitor()
        let knock = try await guest.post("/join/guest", #"{"slug":"\#(slug)","name":"Long"}"#)
        let ask = #"{"token":"\#(try knock.text("waiting"))"}"#
        for _ in 0..<7 {
            // Within the 90 s after which whoever is silent is gone.
            try clock.step(by: .seconds(80))
            #expect(try await guest.post("/join/waiting", ask).text("state") == "waits")
        }
        #expect(try await owner.get("/meetings/\(id)/waiting").items().count == 1)
        try clock.step(by: .seconds(80))
        #expect(try await guest.post("/join/waiting", ask).status == 410)
        #expect(try await owner.get("/meetings/\(id)/waiting").items().isEmpty)
    }

    /// What is known of a meeting right after its end.
    private func history(of id: String, _ owner: Visitor) async throws {
        let ended = try await owner.post("/meetings/\(id)/end")
        #expect(try ended.text("state") == "ended")
        let length = try moment(ended.text("endedAt")) - moment(ended.text("startedAt"))
        let today = try #require(try await owner.get("/analytics/days?days=2").items().last { ($0["meetings"] as? Int ?? 0) > 0 })
        #expect(today["meetings"] as? Int == 1)
        let counted = try #require(today["meetingSeconds"] as? Int)
        #expect(length >= 0 && abs(Double(counted) - length) <= 1, "\(length) s, and \(counted) s are counted")
        let listed = try await owner.get("/meetings?state=ended").items()
        #expect(listed.compactMap { $0["id"] as? String } == [id])
        let told = Set(try await owner.get("/audit").items().compactMap { $0["action"] as? String })
        #expect(told.isSuperset(of: ["meeting.started", "meeting.ended"]))
    }

    /// In seconds since 1970.
    private func moment(_ text: String) throws -> Double {
        let format = ISO8601DateFormatter()
        format.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        return try #require(format.date(from: text), "\(text)").timeIntervalSince1970
    }

    /// Half of the places are guests'.
    private func guestPlaces(_ owner: Visitor, _ desk: FrontDesk) async throws {
        let made = try await owner.post("/meetings", #"{"title":"Guests","settings":{"guestAccess":"open","maxParticipants":4}}"#)
        let slug = try made.text("slug")
        func knock(_ name: String) async throws -> Reply {
            try await desk.visitor().post("/join/guest", #"{"slug":"\#(slug)","name":"\#(name)"}"#)
        }
        let (first, second) = (try await SeatedPage(at: desk, knock("Gina")), try await SeatedPage(at: desk, knock("Hans")))
        let third = try await knock("Ines")
        #expect(try third.status == 409 && third.text("detail") == "the meeting is full: 2 of those in it may be guests", "\(third)")
        #expect(first.over == nil && second.over == nil)
    }
}
