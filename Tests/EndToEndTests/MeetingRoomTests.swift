import Foundation
import Support
import Testing
import Units
import Wire

/// A meeting as those in it see and hear it: real browsers, by their pages alone.
@Suite(.serialized, .unlessStolen)
struct MeetingRoomTests {
    @Test(
        "a host, a member and a guest see and hear each other; each switches what is theirs on and off, and all see a screen",
        .row("MTG-01", "ROM-02", "ROM-05", "ROM-14", "ROM-21", "ROM-24", "ROM-25", "DIA-17"))
    func everybody() async throws {
        try await inRooms { desk, owner in
            _ = try await user(.member, of: owner, at: desk)
            let meeting = try await open(owner, #"{"title":"Stand-up","settings":{"guestAccess":"open"}}"#)
            let host = try await Attendee("Owner", at: desk, as: "owner@example.org", desk.installation.ownerPassword)
            let member = try await Attendee("member", at: desk, as: "member@example.org", "a long password")
            let guest = try await Attendee("Gina", at: desk)
            let all = [host, member, guest]
            for one in all { try await one.enter(meeting.path) }
            for one in all {
                try await one.gets(voices: 2, pictures: 2, "both others come")
                for other in all where other.name != one.name { try await one.sees(other.name) }
                #expect(try await one.page.faults() == [], "\(one.name)")
                // However many others there are: one to send, and one for all that comes.
                let connected = "test.peers.filter(one => one.connectionState === 'connected').length"
                #expect(try await one.page.run(connected) as? Double == 2, "\(one.name)")
            }
            for name in ["Owner", "member", "Gina"] {
                let said = "test.tile('\(name)').querySelector('.bars')?.getAttribute('aria-label')"
                let isSaid = "\(said)?.startsWith('The connection is ') === true"
                for one in all { try await one.page.wait(isSaid, "\(one.name) is told how well \(name) comes", within: .seconds(30)) }
            }
            try await host.page.browser.screenshot("app-room-1-three")
            let own = host.page.browser.takeComplaints().filter { !$0.contains("status of 401") }
            #expect(own == [])
            try await figures(host, notOf: member)
            try await mute(member, seenBy: host)
            try await share(member, seenBy: [host, guest])
            #expect(try await guest.page.run("strata.named('button', 'Show your screen') === null") as? Bool == true)
            try await budget(host)
        }
    }

    /// What comes and what is sent, in figures, for whoever looks after the organisation.
    private func figures(_ host: Attendee, notOf member: Attendee) async throws {
        try await host.page.press("More")
        try await host.page.press("Figures of the connection")
        // Two voices and two pictures of others, in the words that a person reads.
        let rows = "strata.rows('What comes').filter(one => /Mbit/.test(one) && /Good|Average|Poor/.test(one))"
        let cameras = "['member', 'Gina'].every(name => \(rows).some(one => one.includes(name + ', Camera')))"
        try await host.page.wait("\(rows).length === 4 && \(cameras)", "each track that comes has its figures")
        try await host.page.wait(
            "strata.rows('What is sent').some(one => one.includes('Camera') && /Mbit/.test(one))", "so has what is sent")
        try await host.page.see("What is sent takes ")
        #expect(try await host.page.faults() == [])
        try await host.page.browser.screenshot("app-room-4-figures")
        try await host.page.press("Close")
        try await member.page.press("More")
        try await member.page.wait("strata.named('button', 'Camera, microphone and loudspeaker') !== null", "the menu is open")
        #expect(try await member.page.run("strata.named('button', 'Figures of the connection') === null") as? Bool == true)
        try await member.page.press("More")
    }

    /// What is off is off for the others, and by itself.
    private func mute(_ member: Attendee, seenBy host: Attendee) async throws {
        try await member.page.press("Switch the microphone off")
        try await confirmed("Switch the microphone on", "off", member)
        try await host.page.wait("test.tile('member').innerText.includes('Microphone off')", "the host sees it")
        try await host.gets(voices: 1, pictures: 2, "the member is seen and not heard")
        try await member.page.press("Switch the camera off")
        try await member.page.press("Switch the microphone on")
        try await host.page.wait("test.tile('member').querySelector('video') === null", "there is no picture")
        try await host.gets(voices: 2, pictures: 1, "the member is heard and not seen")
        try await member.page.press("Switch the camera on")
        try await confirmed("Switch the camera off", "on", member)
        try await host.gets(voices: 2, pictures: 2, "the member is heard and seen again")
        try await host.sees("member")
    }

    private func share(_ member: Attendee, seenBy others: [Attendee]) async throws {
        try await member.page.press("Show your screen")
        for one in others {
            try await one.page.wait(
                "(document.querySelector('.large .tile.screen video')?.getVideoPlaybackQuality().totalVideoFrames ?? 0) > 10",
                "\(one.name) sees the screen, large", within: .seconds(30))
            #expect(try await one.page.run("document.querySelector('.large .tile').dataset.name") as? String == "member")
            try await one.gets(voices: 2, pictures: 3, "everything goes on beside it")
        }
        // One at a time.
        try await others[0].page.press("Show your screen")
        try await others[0].page.see("member shows a screen already")
        try await others[0].page.browser.screenshot("app-room-2-screen")
        try await member.page.press("Stop showing your screen")
        for one in others { try await one.page.wait("document.querySelector('.large') === null", "\(one.name) sees it end") }
    }

    /// Everything that a meeting needs is read with it.
    private func budget(_ one: Attendee) async throws {
        let size = """
            [...performance.getEntriesByType('resource'), ...performance.getEntriesByType('navigation')]
              .filter(one => !/api/.test(one.name)).reduce((sum, one) => sum + one.encodedBodySize, 0)
            """
        let bytes = try #require(await one.page.run(size) as? Int)
        measured("bytes of the application in a meeting", "\(bytes)")
        #expect((50_000..<250_000).contains(bytes))
    }

    @Test(
        "a guest tries their devices, waits, is let in from within the meeting, comes back after a loss, is sent away, and all are told the end",
        .row("UI-04", "UI-11", "ROM-04", "ROM-18", "ROM-20", "MTG-11", "MTG-38"))
    func visit() async throws {
        try await inRooms { desk, owner in
            let empty = try await vacate(owner, desk)
            let meeting = try await open(owner, #"{"title":"Talk","settings":{"guestAccess":"link_only"}}"#)
            let host = try await Attendee("Owner", at: desk, as: "owner@example.org", desk.installation.ownerPassword)
            let guest = try await Attendee("Gina", at: desk)
            try await host.enter(meeting.path)
            try await check(guest, meeting.path)
            try await guest.page.fill("Your name", "Gina")
            try await guest.page.press("Come in")
            try await guest.page.see("You are waiting")
            #expect(try await guest.page.run("test.peers.length") as? Double == 0, "nothing is set up before")
            var others: [String: String] = [:]
            for name in ["Otto", "Rita"] {
                let knock = try await desk.visitor().post("/join/guest", #"{"slug":"\#(meeting.slug)","name":"\#(name)"}"#)
                others[name] = #"{"token":"\#(try knock.text("waiting"))"}"#
            }
            try await host.page.see("Waiting to be let in: 3")
            try await host.page.press("Who is there: 1")
            try await host.page.press("Send Otto away")
            try await host.page.wait("strata.named('button', 'Send Otto away') === null", "he waits no more")
            try await host.page.press("Let all in")
            for (one, other) in [(host, "Gina"), (guest, "Owner")] {
                try await one.gets(voices: 1, pictures: 1, "\(other) comes")
                try await one.sees(other)
            }
            for (name, state) in [("Otto", "refused"), ("Rita", "enters")] {
                #expect(try await desk.visitor().post("/join/waiting", others[name]).text("state") == state)
            }
            try await change(guest, heardBy: host)
            try await pin("Gina", host)
            try await lose(guest, seenBy: host)
            try await goAndCome(guest, host, meeting.path)
            try await end(guest, host)
            // Most of its minute is over by now.
            try await eventually(within: .seconds(80), "a meeting without anybody is over by itself") {
                try await owner.get("/meetings/\(empty)").text("state") == "ended"
            }
        }
    }

    /// A meeting that its host leaves, comes back to within its minute, and leaves again.
    private func vacate(_ owner: Visitor, _ desk: FrontDesk) async throws -> String {
        let made = try await owner.post("/meetings", #"{"title":"Empty","settings":{"keepAliveSeconds":60}}"#)
        let (id, room, began) = (try made.text("id"), try made.text("room"), try made.text("startedAt"))
        for _ in 0..<2 {
            let page = try await seat(try await owner.post("/meetings/\(id)/join"), desk)
            #expect(try await page.ask(.leave).isDone)
            let now = try await owner.get("/meetings/\(id)")
            #expect(try now.text("state") == "active" && now.text("room") == room && now.text("startedAt") == began)
        }
        return id
    }

    /// One's own camera, level, microphones and loudspeaker, before the meeting.
    private func check(_ guest: Attendee, _ path: String) async throws {
        try await guest.page.go(path)
        try await guest.page.wait("(document.querySelector('.check video')?.videoWidth ?? 0) > 0", "there is one's own picture")
        try await guest.page.see("You can be heard")
        try await guest.page.press("Camera, microphone and loudspeaker")
        try await guest.page.press("Play a sound")
        try await guest.page.wait("[...strata.named('select', 'Microphone').options].length > 2", "there are microphones to choose from")
        try await choose(2, guest)
        try await guest.page.see("You can be heard")
        #expect(try await guest.page.faults() == [])
        try await guest.page.browser.screenshot("app-room-3-check")
        let chosen = try await guest.page.run("test.asked.at(-1)") as? String
        try await guest.page.go(path)
        try await guest.page.wait("test.asked.length > 0", "the devices are asked for")
        #expect(try await guest.page.run("JSON.parse(localStorage.getItem('strata.devices')).microphone") as? String == chosen)
    }

    /// One of the microphones.
    private func choose(_ place: Int, _ guest: Attendee) async throws {
        let field = "strata.named('select', 'Microphone')"
        _ = try await guest.page.run("strata.put(\(field), \(field).options[\(place)].value)")
        try await guest.page.wait("test.asked.at(-1) === \(field).options[\(place)].value && test.asked.at(-1) !== ''", "it is used")
    }

    /// Another microphone, while one is in.
    private func change(_ guest: Attendee, heardBy host: Attendee) async throws {
        let peers = try await guest.page.run("test.peers.length") as? Double
        try await guest.page.press("More")
        try await guest.page.press("Camera, microphone and loudspeaker")
        try await choose(1, guest)
        #expect(try await guest.page.faults() == [])
        try await guest.page.press("Close")
        try await host.gets(voices: 1, pictures: 1, "the guest goes on")
        #expect(try await guest.page.run("test.peers.length") as? Double == peers, "nobody has come in anew")
    }

    /// By the menu of a tile, and by that of the list.
    private func pin(_ name: String, _ host: Attendee) async throws {
        let press = "test.tile('\(name)').dispatchEvent(new MouseEvent('contextmenu', { bubbles: true, cancelable: true }))"
        #expect(try await host.page.run(press) as? Bool == false, "the browser's own menu does not open")
        try await host.page.press("Pin")
        try await host.page.wait("document.querySelector('.large .tile')?.dataset.name === '\(name)'", "the tile is large")
        _ = try await host.page.run("document.querySelector('.people [aria-label=\"What to do about \(name)\"]').click()")
        try await host.page.press("Unpin")
        try await host.page.wait("document.querySelector('.large') === null", "all are alike again")
        try await host.page.press("Show who speaks large")
        try await host.page.wait("document.querySelector('.large .tile')?.dataset.name === '\(name)'", "the other one is large")
        try await host.page.press("Show all alike")
    }

    /// Signalling goes and comes, and the way is another one: the seat is the same, and so are the pictures.
    private func lose(_ guest: Attendee, seenBy host: Attendee) async throws {
        let peers = try await guest.page.run("test.peers.length") as? Double
        _ = try await guest.page.run("test.sockets.filter(one => one.url.endsWith('/join')).at(-1).close()")
        try await guest.page.see("The connection is lost")
        try await guest.page.wait("!document.body.innerText.includes('The connection is lost')", "it is made again")
        try await host.page.wait("!test.tile('Gina').innerText.includes('connection lost')", "she is back")
        #expect(try await host.page.run("document.querySelectorAll('.tile').length") as? Double == 2)
        let name = "test.peers.map(one => one.localDescription?.sdp.match(/ice-ufrag:(.*)/)?.[1]).join()"
        let before = try await guest.page.run(name) as? String ?? ""
        _ = try await guest.page.run("dispatchEvent(new Event('online'))")
        try await guest.page.wait("\(name) !== '\(before)'", "ICE is restarted")
        for one in [host, guest] { try await one.gets(voices: 1, pictures: 1, "it goes on") }
        #expect(try await guest.page.run("test.peers.length") as? Double == peers)
    }

    private func goAndCome(_ guest: Attendee, _ host: Attendee, _ path: String) async throws {
        try await guest.page.press("Leave")
        try await guest.page.see("You have left the meeting")
        #expect(try await guest.page.faults() == [])
        try await host.page.wait("test.tile('Gina') === null", "she has left")
        try await guest.page.press("Come in again")
        try await guest.page.fill("Your name", "Gina")
        try await guest.page.press("Come in")
        try await host.page.press("Let Gina in")
        try await host.gets(voices: 1, pictures: 1, "she comes again")
        _ = try await host.page.run("test.tile('Gina').querySelector('.menu > button').click()")
        try await host.page.press("Send away")
        try await host.page.press("Send away")
        try await guest.page.see("A host has sent you away")
        #expect(try await guest.page.faults() == [])
        try await host.page.wait("test.tile('Gina') === null", "she is away")
    }

    private func end(_ guest: Attendee, _ host: Attendee) async throws {
        try await host.page.press("More")
        try await host.page.press("End the meeting")
        try await host.page.press("End the meeting")
        try await host.page.see("The meeting is over")
        try await host.page.press("The meeting's page")
        try await host.page.wait("document.querySelector('h1 .badge')?.innerText.trim() === 'Over'", "what is left of it is shown")
        // From the end there is a way on.
        try await guest.page.press("To another meeting")
        try await guest.page.see("The meeting's code")
        for one in [host, guest] {
            #expect(one.page.browser.takeComplaints().filter { !$0.contains("status of 401") } == [], "\(one.name)")
        }
    }

    @Test(
        "of 28 people 25 are on the first page; who speaks on the second comes onto it, marked; and a phone shows six at a time",
        .row("ROM-14", "ROM-15", "ROM-16"))
    func crowd() async throws {
        try await inRooms { desk, owner in
            let meeting = try await open(owner, #"{"title":"Everybody","settings":{"guestAccess":"open"}}"#)
            let host = try await Attendee("Owner", at: desk, as: "owner@example.org", desk.installation.ownerPassword)
            try await host.enter(meeting.path)
            var crowd: [RawPage] = []
            // Of guests alone 20 come in within a minute.
            for number in 10..<26 { crowd.append(try await person("Person \(number)", meeting.slug, desk)) }
            let member = try await user(.member, of: owner, at: desk).0
            for _ in 0..<10 { crowd.append(try await seat(try await member.post("/meetings/\(meeting.id)/join"), desk)) }
            let zoe = try await Attendee("Zoe", at: desk)
            try await zoe.page.go(meeting.path)
            try await zoe.page.press("Switch the microphone off")
            try await zoe.page.fill("Your name", "Zoe")
            try await zoe.page.press("Come in")
            try await host.page.see("1 of 2")
            try await host.page.wait("document.querySelectorAll('.tile').length === 25", "25 are shown")
            try await host.page.wait("strata.named('button', 'Who is there: 28') !== null", "28 are there")
            #expect(try await host.page.run("test.tile('Zoe') === null") as? Bool == true)
            try await host.page.press("Those after")
            try await host.page.wait("document.querySelectorAll('.tile').length === 3 && test.tile('Zoe') !== null", "the others are shown")
            try await host.page.press("Those before")
            try await confirmed("Switch the microphone on", "off", zoe)
            try await zoe.page.press("Switch the microphone on")
            try await host.page.wait(
                "test.tile('Zoe')?.classList.contains('speaking') === true", "who speaks is seen", within: .seconds(30))
            #expect(try await host.page.run("document.querySelectorAll('.tile').length") as? Double == 25)
            try await look(host, crowd.count)
            withExtendedLifetime(crowd) {}
        }
    }

    private static let isWithin = """
        [...document.querySelectorAll('.tile')].every(tile => {
          const box = tile.getBoundingClientRect(), all = tile.closest('.room-stage').getBoundingClientRect();
          return box.width > 40 && box.right <= all.right + 1 && box.bottom <= all.bottom + 1;
        })
        """

    /// The list, and all widths.
    private func look(_ host: Attendee, _ others: Int) async throws {
        try await host.page.press("Who is there: \(others + 2)")
        try await host.page.fill("Look for somebody", "person 17")
        try await host.page.wait("document.querySelectorAll('.people li').length === 1", "one is found")
        #expect(try await host.page.faults() == [])
        _ = try await host.page.run("document.querySelector('.room-panel header button').click()")
        for (width, tiles) in [(1280, 25), (900, 25), (360, 6)] {
            try await host.page.browser.resize(width: width, height: width < 600 ? 740 : 860)
            try await host.page.wait("document.querySelectorAll('.tile').length === \(tiles)", "\(tiles) at \(width)")
            try await host.page.wait(Self.isWithin, "all are within the window at \(width)")
            #expect(try await host.page.faults() == [], "\(width)")
            try await host.page.browser.screenshot("app-room-4-crowd-\(width)")
        }
        try await host.page.press("More")
        try await host.page.see("Show your screen")
        #expect(try await host.page.faults() == [])
        try await host.page.press("Who is there: \(others + 2)")
        try await host.page.see("Person 10")
        #expect(try await host.page.faults() == [])
        try await host.page.browser.screenshot("app-room-5-people-360")
    }

    @Test(
        "the room's worker dies, and then control: who is in a meeting sees and hears the others again by themselves, is in it once, and until its time is over",
        .row("ROM-10", "ROM-11", "MTG-15", "MTG-49"))
    func deaths() async throws {
        let clock = try WallClock()
        try await inRooms(workers: 2, by: clock) { desk, owner in
            let longest = #"{"settings":{"maxDurationMinutes":30},"locked":[]}"#
            #expect(try await owner.send("PUT", "/organization/meeting-settings", longest).status == 200)
            let meeting = try await open(owner, #"{"title":"Talk","settings":{"guestAccess":"open"}}"#)
            let host = try await Attendee("Owner", at: desk, as: "owner@example.org", desk.installation.ownerPassword)
            let guest = try await Attendee("Gina", at: desk)
            func meet(_ when: String) async throws {
                for (one, other) in [(host, "Gina"), (guest, "Owner")] {
                    try await one.gets(voices: 1, pictures: 1, "\(other) comes \(when)")
                    try await one.sees(other)
                    #expect(try await one.page.run("document.querySelectorAll('.tile').length") as? Double == 2, "\(when)")
                }
            }
            for one in [host, guest] { try await one.enter(meeting.path) }
            try await meet("at first")
            let beside = try await aside([host, guest], owner, desk)
            let peers = try await guest.page.run("test.peers.length") as? Double ?? 0
            let (theirs, other) = (try worker(0, of: desk), try worker(1, of: desk))
            #expect(kill(theirs, SIGKILL) == 0)
            try await eventually(within: .seconds(30), "both connections are made anew") {
                // It says that it is there, as its browser would.
                try beside.go()
                let now = try await guest.page.run("test.peers.length") as? Double ?? 0
                return now >= peers + 2
            }
            // Of a session that is over nobody is told that they mean an earlier one.
            let wrong = [("If-Match", "\"any\"")]
            let fragment = RoomDoors.candidates()
            let told = try await beside.visitor.send("PATCH", beside.place, fragment, headers: wrong, type: RoomDoors.fragment)
            let still = try worker(1, of: desk)
            #expect(told.status == 412 && still == other, "the other room goes on: \(told)")
            try await meet("after the worker's death")
            try await desk.installation.program("control").kill9()
            for one in [host, guest] { try await one.page.see("The connection is lost") }
            // Longer than a host's pass is good, and than the session of a page stands without being renewed.
            try clock.step(by: .seconds(25 * 60))
            try await desk.installation.startControl()
            for one in [host, guest] {
                try await one.page.wait("!document.body.innerText.includes('The connection is lost')", "it is back", within: .seconds(40))
            }
            try await meet("after control's death")
            let joins = "performance.getEntriesByType('resource').filter(one => /\\/meetings\\/\\w+\\/join$/.test(one.name)).length"
            let passes = try await host.page.run(joins) as? Double ?? 0
            #expect(passes >= 2, "the host has got another pass")
            try await host.page.see("This meeting ends by itself within ten minutes")
            try clock.step(by: .seconds(600))
            #expect(try await owner.refresh().status == 200)
            // Looks at the time that is left.
            #expect(try await owner.send("PUT", "/organization/meeting-settings", longest).status == 200)
            for one in [host, guest] { try await one.page.see("The meeting is over") }
            #expect(try await owner.get("/meetings/\(meeting.id)").text("state") == "ended")
            // With control their first seats were gone, whatever became of them later.
            let events = try await owner.get("/meetings/\(meeting.id)/events").items()
            func seats(_ kind: String) -> [String] {
                events.filter { $0["kind"] as? String == kind }.compactMap { $0["participant"] as? String }
            }
            let (came, went) = (seats("joined"), Set(seats("left")))
            #expect(came.count >= 4 && went.isSuperset(of: came.prefix(2)), "\(events)")
        }
    }

    /// Somebody who sends into another room, which lives on another worker than these people's.
    private func aside(_ people: [Attendee], _ owner: Visitor, _ desk: FrontDesk) async throws -> RawPeer {
        let room = try await owner.post("/rooms", #"{"name":"Studio"}"#).text("id")
        let peer = try await RawPeer("sendonly", in: room, of: owner, at: desk)
        try await eventually(within: .seconds(10), "it is let in") {
            try peer.go()
            return peer.isOpen
        }
        let ports = """
            test.peers.filter(one => one.connectionState === 'connected')
              .map(one => one.remoteDescription.sdp.match(/ 127\\.0\\.0\\.1 (\\d+) typ host/)?.[1]).filter(Boolean)
            """
        var theirs: Set<String> = []
        for one in people { theirs.formUnion(try await one.page.run(ports) as? [String] ?? []) }
        #expect(theirs.count == 1 && !theirs.contains("\(peer.worker.port)"), "\(theirs), and \(peer.worker)")
        return peer
    }

    /// One of the workers for rooms that control has started.
    private func worker(_ number: Int, of desk: FrontDesk) throws -> pid_t {
        let control = try desk.installation.program("control").pid
        let found = try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { pid_t($0) }.first { pid in
            // try?: it has ended meanwhile.
            guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
                let command = try? String(contentsOfFile: "/proc/\(pid)/cmdline", encoding: .utf8)
            else { return false }
            let fields = stat.split(separator: " ")
            return fields.count > 3 && fields[1].hasPrefix("(strata-sfu") && fields[3] == "\(control)"
                && command.contains("sfu-\(number).sock")
        }
        return try #require(found, "worker \(number) runs")
    }

    @Test("somebody without a mouse comes in, mutes, opens and closes what there is, pins somebody and leaves", .row("UI-18"))
    func keyboard() async throws {
        try await inRooms { desk, owner in
            let meeting = try await open(owner, #"{"title":"Keys","settings":{"guestAccess":"open"}}"#)
            let host = try await Attendee("Owner", at: desk, as: "owner@example.org", desk.installation.ownerPassword)
            let other = try await person("Paula", meeting.slug, desk)
            try await host.page.go(meeting.path)
            try await host.page.wait("strata.named('button', 'Come in') !== null", "the door is there")
            try await step(host, to: "Come in")
            try await host.page.browser.key("Enter")
            try await host.page.wait("test.tile('Paula') !== null", "both are in")
            try await step(host, to: "What to do about Paula")
            try await host.page.browser.key("Enter")
            try await step(host, to: "Pin")
            try await host.page.browser.key("Enter")
            try await host.page.wait("document.querySelector('.large .tile')?.dataset.name === 'Paula'", "she is large")
            try await step(host, to: "Switch the microphone off")
            try await host.page.browser.key("Enter")
            try await confirmed("Switch the microphone on", "off", host)
            #expect(try await host.page.run("strata.name(document.activeElement)") as? String == "Switch the microphone on")
            try await step(host, to: "More")
            try await host.page.browser.key("Enter")
            try await host.page.see("Camera, microphone and loudspeaker")
            try await host.page.browser.key("Escape")
            try await host.page.wait("!document.body.innerText.includes('Camera, microphone and')", "it is closed")
            #expect(try await host.page.run("strata.name(document.activeElement)") as? String == "More")
            let said = "[...document.querySelectorAll('[role=status]')].map(one => one.textContent).join()"
            other.socket.abort()
            try await host.page.wait("test.tile('Paula').innerText.includes('connection lost')", "her connection is lost")
            _ = try await person("Rita", meeting.slug, desk)
            try await host.page.wait("\(said).includes('Rita has come in.')", "who comes is said")
            try await step(host, to: "Leave")
            try await host.page.browser.key("Enter")
            try await host.page.see("You have left the meeting")
        }
    }

    @Test(
        "what a browser refuses is said with what helps, one comes in without it, and a browser that can do nothing is told so",
        .row("ROM-25", "ROM-26", "ROM-34", "MTG-31"))
    func obstacles() async throws {
        try await inRooms { desk, owner in
            let meeting = try await open(owner, #"{"title":"Talk","settings":{"guestAccess":"open"}}"#)
            let voices = try await open(owner, #"{"title":"Voices","type":"audio","settings":{"guestAccess":"open"}}"#)
            let guest = try await Attendee("Gina", at: desk)
            try await code(meeting.slug, guest, "window.RTCPeerConnection = undefined")
            try await guest.page.see("This browser is not able to do that.")
            for (words, name, help) in [
                ("Permission denied", "NotAllowedError", "This browser was told not to let this page use it."),
                ("Permission denied by system", "NotAllowedError", "The system does not let this browser use it."),
                ("Permission dismissed", "NotAllowedError", "The browser has asked, and was not answered. Try again, and allow it."),
                ("Requested device not found", "NotFoundError", "None was found. Plug one in, or come in without."),
                ("Could not start video source", "NotReadableError", "Another program has it at the moment."),
            ] {
                let refusal = "async () => { throw new DOMException('\(words)', '\(name)'); }"
                try await code(
                    meeting.slug, guest,
                    "test.real = navigator.mediaDevices.getUserMedia; navigator.mediaDevices.getUserMedia = \(refusal)")
                try await guest.page.see(help)
                #expect(try await guest.page.faults() == [])
            }
            try await guest.page.browser.screenshot("app-room-6-refused")
            _ = try await guest.page.run("navigator.mediaDevices.getUserMedia = test.real; 0")
            try await guest.page.press("Camera: try again")
            try await guest.page.wait("(document.querySelector('.check video')?.videoWidth ?? 0) > 0", "there is a picture")
            try await guest.page.fill("Your name", "Gina")
            try await guest.page.press("Come in")
            try await confirmed("Switch the camera off", "on", guest)

            // Where there are only voices nobody has a camera.
            try await code(voices.slug, guest, "0")
            try await guest.page.see("You can be heard")
            #expect(try await guest.page.run("document.querySelector('.check .film') === null") as? Bool == true)
            try await guest.page.fill("Your name", "Gina")
            try await guest.page.press("Come in")
            try await confirmed("Switch the microphone off", "on", guest)
            #expect(try await guest.page.run("document.querySelector('.room.voices') !== null") as? Bool == true)
            #expect(try await guest.page.run("document.querySelector('[aria-label*=camera]') === null") as? Bool == true)
        }
    }

    // MARK: Parts

    private func open(_ owner: Visitor, _ body: String) async throws -> (path: String, slug: String, id: String) {
        let made = try await owner.post("/meetings", body)
        guard made.status == 201 else { throw SupportFailure("no meeting: \(made)") }
        let slug = try made.text("slug")
        return ("/demo/m/\(slug)", slug, try made.text("id"))
    }

    /// Somebody who is in a meeting, and neither sends nor gets anything.
    private func person(_ name: String, _ slug: String, _ desk: FrontDesk) async throws -> RawPage {
        try await seat(try await desk.visitor().post("/join/guest", #"{"slug":"\#(slug)","name":"\#(name)"}"#), desk)
    }

    private func seat(_ answer: Reply, _ desk: FrontDesk) async throws -> RawPage {
        guard let token = (try answer.object()["pass"] as? [String: Any])?["token"] as? String else {
            throw SupportFailure("nobody is let in: \(answer)")
        }
        let page = try await RawPage(at: desk)
        _ = try await page.enter(token)
        return page
    }

    /// Waits until the server has said so of what a button switches.
    private func confirmed(_ button: String, _ doing: String, _ one: Attendee) async throws {
        try await one.page.wait(
            "strata.named('button', '\(button)')?.dataset.doing === '\(doing)'", "it is confirmed: \(doing)", within: .seconds(30))
    }

    /// Types a meeting's code, in a page that has run a script before it looks at its devices.
    private func code(_ slug: String, _ guest: Attendee, _ script: String) async throws {
        try await guest.page.go("/join")
        try await guest.page.fill("The meeting's code", slug)
        _ = try await guest.page.run("\(script); 0")
        try await guest.page.press("Next")
        try await guest.page.wait("strata.named('button', 'Come in') !== null", "the door is there")
    }

    /// Goes on with the tabulator to what has a name.
    private func step(_ one: Attendee, to name: String) async throws {
        var passed: [String] = []
        for _ in 0..<60 {
            try await one.page.browser.key("Tab")
            let here = try await one.page.run("strata.name(document.activeElement)") as? String ?? ""
            if here == name { return }
            passed.append(here)
        }
        throw SupportFailure("the tabulator comes to no '\(name)', but to \(passed)")
    }
}
