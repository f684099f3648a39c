import Foundation
import Support
import Testing
import Units
import Wire

/// What people do in a room to each other and to the room, and those who try what they may not.
@Suite(.serialized, .unlessStolen)
struct RoomCommandTests {
    private typealias Kind = RoomOrder.Kind

    /// What only a host does, to somebody.
    private func commands(to target: ParticipantID) -> [RoomOrder] {
        [
            .remove(RoomRemoval(participant: target)), .stop(RoomStop(participant: target, media: .audio)),
            .stop(RoomStop(media: .audio)), .rename(RoomRename(participant: target, name: "Somebody")),
            .promote(RoomPromotion(participant: target, role: .coHost)), .spotlight(RoomSpotlight(participants: [target])),
            .lock(RoomSwitch(isOn: true)), .switchChat(RoomSwitch(isOn: false)),
            .muteChat(RoomChatMute(participant: target, isMuted: true)), .allow(RoomLeave(participant: target, media: [.audio])),
            .hand(RoomHand(participant: target, isUp: false)), .cast(RoomCast(type: "a", payload: "b")), .end,
        ]
    }

    @Test("a guest and a member do nothing that is a host's, to nobody, and nothing has changed by it")
    func refused() async throws {
        try await Talk.held { talk in
            let host = try await talk.host()
            let ben = try await talk.member(try await user(.member, of: talk.owner, at: talk.desk).0)
            let gina = try await talk.guest("Gina")
            try await host.until("both are there") { $0.people.count == 3 }
            for (page, others) in [(gina, [host.id, ben.id, gina.id]), (ben, [host.id, gina.id, ben.id])] {
                for target in others {
                    for order in commands(to: target) {
                        // One's own sound, and one's own hand, are one's own.
                        let isOwn = target == page.id && [Kind.stop.rawValue, Kind.hand.rawValue].contains(order.type)
                        let reason = try await page.refusal(order)
                        #expect(reason == .forbidden || isOwn && reason == nil, "\(order): \(String(describing: reason))")
                    }
                }
                let nobody = try #require(ParticipantID("01ARZ3NDEKTSV4RRFFQ69G5FAV"))
                for order in commands(to: nobody) { #expect(try await page.refusal(order) != nil, "\(order)") }
            }
            #expect(try await host.refusal(.lock(RoomSwitch(isOn: false))) == nil)
            #expect(host.people.count == 3 && host.conditions == RoomConditions(endsAtMs: host.conditions.endsAtMs))
            #expect(host.conditions.endsAtMs != nil, "the meeting's end is known")
            #expect(host.people.values.allSatisfy { $0.meetingRole != .coHost && $0.name != "Somebody" })
            #expect(host.over == nil && gina.over == nil)
        }
    }

    @Test(
        "a host's commands reach whom they are for, and everybody who is there, once, over a lost connection too",
        .row("MTG-35", "CTL-15"))
    func commanded() async throws {
        try await Talk.held { talk in
            let (host, gina) = (try await talk.host(), try await talk.guest("Gina"))
            let vera = try await talk.guest("Vera")
            try await host.until("both are there") { $0.people.count == 3 }
            #expect(try await host.refusal(.stop(RoomStop(participant: gina.id, media: .video))) == nil)
            try await gina.until("it is stopped") { $0.people[gina.id]?.off == [.video] }
            #expect(gina.people[gina.id]?.stoppedBy == host.id)
            #expect(try await gina.refusal(.turn(RoomTurn(media: .video, isOn: true))) == nil)
            try await host.until("it goes on") { $0.people[gina.id]?.off == [] }
            #expect(try await host.refusal(.rename(RoomRename(participant: gina.id, name: "Gina G."))) == nil)
            for name in ["<b>x</b>", "a", "x\u{202e}y", "www.example.org"] {
                let rename = RoomOrder.rename(RoomRename(participant: gina.id, name: name))
                #expect(try await host.refusal(rename) == .malformed, "\(name.debugDescription)")
            }
            // What happens while her socket is lost she is told once.
            try await gina.resume { () async throws in
                #expect(try await host.refusal(.stop(RoomStop(media: .audio))) == nil)
                #expect(try await host.refusal(.spotlight(RoomSpotlight(participants: [vera.id, host.id]))) == nil)
            }
            try await gina.until("she knows all of it") {
                $0.conditions.spotlight == [vera.id, host.id] && $0.people[gina.id]?.off == [.audio] && $0.people[gina.id]?.isAway == false
            }
            #expect(gina.snapshots == 1 && gina.people[vera.id]?.off == [.audio] && gina.people[host.id]?.off == [])
            #expect(gina.people[gina.id]?.name == "Gina G.")
            // Who has missed something, and does not know what, is told everything anew in the same seat.
            let (known, held) = (gina.people, gina.conditions)
            gina.forget()
            try await gina.resume()
            try await gina.until("all of it is told anew") { $0.snapshots == 2 }
            #expect(gina.people == known)
            #expect(gina.conditions == held)
            // Sent away for the moment, and for good.
            let pass = try await talk.knock("Otto").object()["pass"] as? [String: Any]
            let token = try #require(pass?["token"] as? String)
            var otto = try await SeatedPage(at: talk.desk, token)
            #expect(try await host.refusal(.remove(RoomRemoval(participant: otto.id, mayReturn: true))) == nil)
            try await otto.until("he is told") { $0.over == .removed }
            otto = try await SeatedPage(at: talk.desk, token)
            #expect(try await host.refusal(.remove(RoomRemoval(participant: otto.id))) == nil)
            let again = try await RawPage(at: talk.desk)
            #expect(try await again.ask(.join(RoomJoin(token: Secret(token)))).refusal == .pass)
            try await host.until("all is told") { page in page.left.filter { $0.reason == .removed }.count == 2 }

            // Who did what is there afterwards, for whoever runs the meeting.
            #expect(try await host.refusal(.promote(RoomPromotion(participant: vera.id, role: .coHost))) == nil)
            let events = try await eventually(within: .seconds(5), "all is kept") { () -> [[String: Any]]? in
                let items = try await talk.owner.get("/meetings/\(talk.id)/events").items()
                return items.contains { $0["kind"] as? String == "promoted" } ? items : nil
            }
            let told = events.map { "\($0["kind"] ?? "") \($0["name"] ?? "") \($0["actor"] ?? "-")" }
            let me = try #require(host.people[host.id]?.name)
            #expect(told.filter { $0.hasPrefix("kicked") } == ["kicked Otto \(me)", "kicked Otto \(me)"])
            #expect(told.contains("renamed Gina G. \(me)") && told.contains("promoted Vera \(me)") && told.contains("joined Vera -"))
            let promoted = try #require(events.first { $0["kind"] as? String == "promoted" })
            #expect(promoted["fromPreset"] as? String == "video_guest" && promoted["toPreset"] as? String == "video_host")
            #expect(try await talk.desk.stranger().get("/meetings/\(talk.id)/events").status == 404)
        }
    }

    @Test("who is made a host is one at once, in the same seat, and no more of one than whoever made them", .row("MTG-34"))
    func promoted() async throws {
        try await Talk.held { talk in
            let (host, gina) = (try await talk.host(), try await talk.guest("Gina"))
            let vera = try await talk.guest("Vera")
            try await host.until("both are there") { $0.people.count == 3 }
            #expect(gina.rights?.preset == .videoGuest && gina.rights?.allowed.contains(.kick) == false)
            #expect(try await gina.refusal(.lock(RoomSwitch(isOn: true))) == .forbidden)
            #expect(try await host.refusal(.promote(RoomPromotion(participant: gina.id, role: .coHost))) == nil)
            try await gina.until("she may do more") { $0.rights?.role == .coHost }
            #expect(gina.rights?.preset == .videoHost && gina.rights?.allowed.contains(.kick) == true && gina.snapshots == 1)
            try await vera.until("others see it") { $0.people[gina.id]?.role == .host }
            #expect(try await gina.refusal(.lock(RoomSwitch(isOn: true))) == nil)
            #expect(try await gina.refusal(.remove(RoomRemoval(participant: vera.id))) == nil)
            for order in commands(to: host.id) where [Kind.remove, .rename, .promote, .end].map(\.rawValue).contains(order.type) {
                #expect(try await gina.refusal(order) == .forbidden, "\(order)")
            }
            #expect(try await host.refusal(.promote(RoomPromotion(participant: gina.id, role: .guest))) == nil)
            try await gina.until("she may not any more") { $0.rights?.role == .guest }
            #expect(try await gina.refusal(.lock(RoomSwitch(isOn: false))) == .forbidden)
        }
    }

    @Test("nobody comes into a locked meeting, by the door or by a pass that they have already, but its hosts", .row("MTG-42"))
    func locked() async throws {
        try await Talk.held { talk in
            let host = try await talk.host()
            let early = try await talk.knock("Early").object()["pass"] as? [String: Any]
            #expect(try await host.refusal(.lock(RoomSwitch(isOn: true))) == nil)
            let late = try await talk.knock("Late")
            #expect(try late.status == 409 && late.text("detail").contains("locked"), "\(late)")
            let token = try #require(early?["token"] as? String)
            let page = try await RawPage(at: talk.desk)
            #expect(try await page.ask(.join(RoomJoin(token: Secret(token)))).refusal == .locked)
            // A host by right, in another window.
            let second = try await talk.host()
            #expect(second.conditions.isLocked)
            #expect(try await second.refusal(.lock(RoomSwitch(isOn: false))) == nil)
            #expect(try await page.ask(.join(RoomJoin(token: Secret(token)))).isDone)
        }
    }

    @Test("all who wait are let in at once, by the meeting's hosts alone, and whoever comes behind them waits")
    func waiting() async throws {
        try await Talk.held(settings: #""guestAccess":"link_only""#) { talk in
            var asks: [String] = []
            for name in ["Gina", "Hans", "Ines"] {
                let knock = try await talk.knock(name)
                #expect(try knock.text("state") == "waits")
                asks.append(#"{"token":"\#(try knock.text("waiting"))"}"#)
            }
            let guests = try await talk.owner.get("/meetings/\(talk.id)/waiting").items().compactMap { $0["id"] as? String }
            #expect(try await talk.owner.send("DELETE", "/meetings/\(talk.id)/waiting/\(guests[0])").status == 204)
            let (other, _) = try await user(.host, of: talk.owner, at: talk.desk)
            #expect(try await other.post("/meetings/\(talk.id)/waiting/admit").status == 403)
            #expect(try await talk.desk.stranger().post("/meetings/\(talk.id)/waiting/admit").status == 404)
            #expect(try await talk.owner.post("/meetings/\(talk.id)/waiting/admit").status == 204)
            for (ask, state) in zip(asks, ["refused", "enters", "enters"]) {
                #expect(try await talk.desk.visitor().post("/join/waiting", ask).text("state") == state)
            }
            #expect(try await talk.knock("Late").text("state") == "waits")
            let events = try await talk.owner.get("/meetings/\(talk.id)/events").items().compactMap { $0["name"] as? String }
            #expect(events == ["Hans", "Ines"])
        }
    }

    @Test(
        "what two hosts decide at once is one thing for everybody, and one ends the meeting for all, as nobody else does; its passes are good no more",
        .row("CTL-14"))
    func ended() async throws {
        try await Talk.held { talk in
            let (host, gina) = (try await talk.host(), try await talk.guest("Gina"))
            try await decideAtOnce(host, gina, talk)
            #expect(try await gina.refusal(.end) == .forbidden)
            #expect(try await host.refusal(.end) == nil)
            for page in [host, gina] {
                try await page.until("it is over") { $0.over != nil }
                #expect(page.over == .closed)
            }
            #expect(try await talk.owner.get("/meetings/\(talk.id)").text("state") == "ended")
            #expect(try await talk.knock("Late").status == 404)
        }
    }

    /// Each of two hosts wants something else of the same things, again and again, and neither waits for the other.
    private func decideAtOnce(_ host: SeatedPage, _ gina: SeatedPage, _ talk: Talk) async throws {
        let second = try await talk.host()
        for round in 0..<6 {
            let isOn = round % 2 == 0
            let orders: [(RoomOrder, RoomOrder)] = [
                (.lock(RoomSwitch(isOn: isOn)), .lock(RoomSwitch(isOn: !isOn))),
                (.spotlight(RoomSpotlight(participants: [host.id])), .spotlight(RoomSpotlight(participants: [gina.id, second.id]))),
                (
                    .rename(RoomRename(participant: gina.id, name: "Gina A\(round)")),
                    .rename(RoomRename(participant: gina.id, name: "Gina B\(round)"))
                ),
            ]
            for (one, other) in orders {
                try await host.page.say(one)
                try await second.page.say(other)
            }
            for page in [host, second] {
                for _ in orders {
                    let answer = try await page.answer()
                    #expect(answer.isDone, "\(answer)")
                }
            }
        }
        #expect(try await second.refusal(.lock(RoomSwitch(isOn: false))) == nil)
        // Whoever comes now is told what the others know.
        let late = try await talk.guest("Late")
        let newest = try #require(late.seq)
        for page in [host, second, gina] {
            try await page.until("all of it is known") { ($0.seq ?? 0) >= newest }
            #expect(page.conditions == late.conditions && page.people == late.people)
        }
        #expect(late.conditions.spotlight.count <= 2 && late.people[gina.id]?.name.hasPrefix("Gina ") == true)
    }

    @Test("in a webinar speakers ask to speak and are let; who only watches sees the stage alone")
    func stage() async throws {
        try await Talk.held("webinar", settings: #""guestAccess":"open""#) { talk in
            let host = try await talk.host()
            let ben = try await talk.member(try await user(.member, of: talk.owner, at: talk.desk).0)
            let vera = try await talk.guest("Vera")
            try await host.until("both are there") { $0.people.count == 3 }
            #expect(vera.rights?.preset == .webinarViewer && Set(vera.people.keys) == [vera.id, host.id])
            #expect(ben.rights?.audio == .onRequest)
            let offer = RoomOrder.publish(RoomPublication(offer: "v=0\r\n", tracks: []))
            #expect(try await ben.refusal(offer) == .forbidden)
            #expect(try await vera.refusal(.hand(RoomHand(isUp: true))) == .forbidden)
            #expect(try await ben.refusal(.hand(RoomHand(isUp: true))) == nil)
            try await host.until("the hand is seen") { $0.people[ben.id]?.hand != nil }
            #expect(try await ben.refusal(.allow(RoomLeave(participant: ben.id, media: [.audio]))) == .forbidden)
            #expect(try await host.refusal(.allow(RoomLeave(participant: ben.id, media: [.audio, .video]))) == nil)
            try await ben.until("he is let") { $0.rights?.audio == .allowed && $0.people[ben.id]?.hand == nil }
            // There is no worker here: he comes as far as that.
            #expect(try await ben.refusal(offer) == .away)
            #expect(try await host.refusal(.allow(RoomLeave(participant: ben.id, media: []))) == nil)
            #expect(try await ben.refusal(offer) == .forbidden)
        }
    }

    @Test("reactions reach everybody, and whoever floods them, hands or commands is refused with the time to wait")
    func floods() async throws {
        try await Talk.held { talk in
            let (host, gina) = (try await talk.host(), try await talk.guest("Gina"))
            for _ in 0..<10 { #expect(try await gina.refusal(.react(RoomReacting(reaction: .clap))) == nil) }
            guard case .refused(let refused) = try await gina.ask(.react(RoomReacting(reaction: .clap))) else {
                throw SupportFailure("the eleventh was taken")
            }
            #expect(refused.reason == .limited && refused.text.contains("again in"))
            try await host.until("they are seen") { $0.reactions.count == 10 }
            #expect(host.reactions.allSatisfy { $0.participant == gina.id && $0.reaction == .clap })
            #expect(try await host.refusal(.cast(RoomCast(type: "board.stroke", payload: #"{"x":1}"#))) == nil)
            try await gina.until("it is cast") { $0.casts.map(\.payload) == [#"{"x":1}"#] }
            var last: RoomRefused.Reason?
            for turn in 0..<31 { last = try await gina.refusal(.hand(RoomHand(isUp: turn % 2 == 0))) }
            #expect(last == .limited)
            try await gina.page.socket.send(#"{"id":1,"order":{"type":"react","body":{"reaction":"<script>"}}}"#)
            #expect(try await gina.page.socket.ending(within: .seconds(5)) == 1003, "there is no such reaction")
            #expect(try await host.refusal(.lock(RoomSwitch(isOn: true))) == nil)
        }
    }
}
