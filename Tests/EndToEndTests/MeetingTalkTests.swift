import Foundation
import Support
import Testing
import Units
import Wire

/// What people in a meeting say and do to each other beside sound and pictures: real browsers, by their pages alone.
@Suite(.serialized, .unlessStolen)
struct MeetingTalkTests {
    @Test(
        "people write to all and to one, see what is new, pin, search and take back; whoever may not write is told why",
        .row("CHT-04", "CHT-05", "CHT-07", "CHT-08", "CHT-09"))
    func written() async throws {
        try await inTalk { host, member, guest, _, slug in
            try await greet(host, member, guest)
            try await whisper(host, member, guest)
            try await pin(host, member, guest)
            try await search(guest)
            try await takeBack(member, seenBy: host)
            try await mark(member, seenBy: host)
            try await silence(host, member, guest)
            try await keyboard(host)
            try await phone(member)
            try await past(host, guest, "/demo/m/\(slug)")
            for one in [host, member, guest] { #expect(try await one.page.faults() == [], "\(one.name)") }
            let own = host.page.browser.takeComplaints().filter { !$0.contains("status of 401") }
            #expect(own == [])
        }
    }

    @Test(
        "hands and reactions are seen; a host switches off, enlarges, locks, gives roles, renames and sends away, and all are told",
        .row("MTG-43", "ROM-17", "ROM-22", "CHT-15", "UI-17"))
    func acted() async throws {
        try await inTalk { host, member, guest, desk, slug in
            try await raise(host, guest)
            try await react(host, member, guest)
            try await float(host, guest)
            try await fill(host)
            try await stop(host, member, guest)
            try await enlarge(host, member, guest)
            try await lock(host, guest, desk, slug)
            try await cast(host, guest)
            try await choose(of: "Gina", host, "Change the name")
            try await host.page.fill("Name", "Gina G.")
            try await host.page.press("Change the name")
            for one in [host, member, guest] {
                try await one.page.wait("test.tile('Gina G.') !== null", "\(one.name) sees her new name")
                #expect(try await one.page.faults() == [], "\(one.name)")
            }
            try await choose(of: "Gina G.", host, "Send away")
            try await host.page.press("Send away")
            try await guest.page.see("A host has sent you away")
            try await member.page.wait("test.tile('Gina G.') === null", "she is away")
        }
    }

    @Test("in a webinar a guest raises a hand, is heard once a host lets them speak and they want to, and is not when that is taken back")
    func stage() async throws {
        try await inRooms { desk, owner in
            let settings = #""settings":{"guestAccess":"open","waitingRoom":false}"#
            let made = try await owner.post("/meetings", #"{"title":"Stage","type":"webinar",\#(settings)}"#)
            let (id, slug) = (try made.text("id"), try made.text("slug"))
            let link = try await owner.post("/meetings/\(id)/guest-links", #"{"label":"Gina","preset":"webinar_guest"}"#).text("url")
            let host = try await Attendee("Owner", at: desk, as: "owner@example.org", desk.installation.ownerPassword)
            let guest = try await Attendee("Gina", at: desk)
            try await host.enter("/demo/m/\(slug)")
            try await guest.enter(String(link.dropFirst(desk.installation.origin.count)))
            try await guest.page.see("You are heard once a host lets you speak: raise your hand.")
            let sends = #"document.querySelector('[aria-label^="Switch the microphone"], [aria-label^="Switch the camera"]') !== null"#
            #expect(try await guest.page.run(sends) as? Bool == false, "there is nothing to switch on")
            try await guest.gets(voices: 1, pictures: 1, "the host is heard and seen")
            try await guest.page.press("Raise your hand")
            try await guest.page.see("Your hand is up. A host can let you speak.")
            try await host.page.see("Hands that are up: 1")
            try await host.page.press("Who is there: 2")
            try await host.page.press("Let Gina speak")
            try await guest.page.see("A host lets you speak")
            try await guest.page.wait("\(sends) && strata.named('button', 'Raise your hand') !== null", "she may, and her hand is down")
            #expect(try await guest.page.run("test.asked.length") as? Double == 0, "nobody is heard by another's decision")
            try await guest.page.browser.screenshot("app-talk-5-stage")
            try await guest.page.press("Switch the microphone on")
            try await host.gets(voices: 1, pictures: 0, "she is heard")
            try await choose(of: "Gina", host, "Let speak no more")
            try await guest.page.see("You may not send sound and pictures any more.")
            try await guest.page.wait("!(\(sends))", "her buttons are gone")
            try await host.page.wait("test.tile('Gina').innerText.includes('Microphone off')", "the host sees it")
            try await host.gets(voices: 0, pictures: 0, "she is not heard")
            #expect(try await guest.page.run("document.body.innerText.includes('does not let you send')") as? Bool == false)
            try await guest.gets(voices: 1, pictures: 1, "she watches on")
            for one in [host, guest] { #expect(try await one.page.faults() == [], "\(one.name)") }
        }
    }

    // MARK: The chat

    private static let messages = "[...document.querySelectorAll('.messages .message')]"

    private func greet(_ host: Attendee, _ member: Attendee, _ guest: Attendee) async throws {
        try await guest.page.press("Chat")
        try await guest.page.see("Nothing has been written yet.")
        try await say("hello <b>all</b>, see https://example.org/x.", guest)
        for one in [host, member] {
            try await one.page.press("Chat, new: 1")
            try await one.page.see("hello <b>all</b>, see https://example.org/x.")
            try await one.page.wait("strata.named('button', 'Chat') !== null", "nothing is new any more")
        }
        let all = "[...document.querySelectorAll('.message .text *')]"
        let parts = "\(all).map(one => [one.tagName, one.href, one.rel, one.textContent].join(' '))"
        #expect(
            try await host.page.run(parts) as? [String]
                == ["A https://example.org/x noopener noreferrer nofollow https://example.org/x"])
        let said = "[...document.querySelectorAll('[role=status]')].map(one => one.textContent).join()"
        #expect(try await host.page.run("\(said).includes('Gina writes: hello <b>all</b>')") as? Bool == true)
    }

    /// What is for one alone; a guest has no way to write to one, and is refused where their page is made to.
    private func whisper(_ host: Attendee, _ member: Attendee, _ guest: Attendee) async throws {
        try await address("Gina", host)
        try await say("only you", host)
        try await host.page.see("to Gina alone")
        try await guest.page.see("to you alone")
        try await guest.page.see("only you")
        try await address("Everybody", host)
        #expect(try await member.page.run("\(Self.messages).length") as? Double == 1)
        #expect(try await guest.page.run("strata.named('select', 'To') === null") as? Bool == true)
        let option = "[...strata.named('select', 'To').options].find(one => one.text === 'member')"
        let id = try await host.page.run("\(option).value") as? String ?? ""
        let forced = """
            new Promise(done => {
              const socket = test.sockets.filter(one => one.url.endsWith('/join')).at(-1), hear = event => {
                const { type, body } = JSON.parse(event.data);
                if (body?.id === 99999) done(type + ' ' + body.reason);
              };
              socket.addEventListener('message', hear);
              socket.send(JSON.stringify({ id: 99999, order: { type: 'say', body: { text: 'psst', to: '\(id)' } } }));
            })
            """
        #expect(try await guest.page.run(forced) as? String == "refused forbidden")
    }

    private func pin(_ host: Attendee, _ member: Attendee, _ guest: Attendee) async throws {
        try await say("agenda: one, two", host)
        try await act(on: "agenda", "Pin the message", host)
        for one in [host, member, guest] {
            try await one.page.see("Pinned: 1")
            try await one.page.wait("document.querySelector('.pins .message').innerText.includes('agenda')", "it is on top")
        }
        #expect(try await guest.page.run("document.querySelector('.pins .menu') === null") as? Bool == true, "guests pin nothing")
        try await host.page.browser.screenshot("app-talk-1-chat")
    }

    private func search(_ guest: Attendee) async throws {
        try await guest.page.press("Search the chat")
        try await guest.page.fill("What it says", "AGENDA")
        try await guest.page.press("Search")
        try await guest.page.see("Found: 1")
        let isFound = "\(Self.messages).length === 1 && \(Self.messages)[0].innerText.includes('agenda')"
        try await guest.page.wait(isFound, "it is the one that says so")
        try await guest.page.press("Back to the chat")
        try await guest.page.wait("\(Self.messages).length === 3", "all are there again")
    }

    private func takeBack(_ member: Attendee, seenBy host: Attendee) async throws {
        try await say("a mistake", member)
        try await host.page.see("a mistake")
        try await act(on: "a mistake", "Take the message back", member)
        for one in [host, member] {
            try await one.page.wait("!\(Self.messages).some(one => one.innerText.includes('a mistake'))", "\(one.name) sees it no more")
        }
    }

    /// A sign is put where one writes, and what is marked looks so to the others.
    private func mark(_ member: Attendee, seenBy host: Attendee) async throws {
        try await member.page.press("Emoji")
        try await member.page.press("🎉")
        try await member.page.wait("strata.named('textarea', 'Your message').value === '🎉'", "it is there")
        try await say("**two** of `x < y` 🎉", member)
        let text = "\(Self.messages).at(-1).querySelector('.text')"
        try await host.page.wait("\(text).textContent === 'two of x < y 🎉'", "it is shown without its signs")
        let parts = "[...\(text).children].map(one => one.tagName + ' ' + one.textContent).join()"
        #expect(try await host.page.run(parts) as? String == "STRONG two,CODE x < y")
    }

    /// More was written than a page is told when it comes: what lies before is read when somebody scrolls up to it.
    private func past(_ host: Attendee, _ guest: Attendee, _ path: String) async throws {
        try await host.page.press("Chat")
        let balloons = String(repeating: "🎈", count: 1900)
        for number in 0..<10 { try await say("\(number) \(balloons)", host) }
        try await guest.enter(path)
        try await guest.page.press("Chat")
        let isThere = "\(Self.messages).some(one => one.innerText.includes('hello <b>all</b>'))"
        try await guest.page.wait("\(Self.messages).some(one => one.innerText.includes('9 🎈'))", "the newest are there")
        #expect(try await guest.page.run(isThere) as? Bool == false)
        _ = try await guest.page.run("document.querySelector('.messages').scrollTop = 0")
        try await guest.page.wait(isThere, "the first one is there")
    }

    private func silence(_ host: Attendee, _ member: Attendee, _ guest: Attendee) async throws {
        let isClosed = "strata.named('textarea', 'Your message').disabled"
        try await choose(of: "Gina", host, "Take the word in the chat")
        try await guest.page.see("A host has taken the word from you in the chat.")
        #expect(try await guest.page.run(isClosed) as? Bool == true)
        #expect(try await member.page.run(isClosed) as? Bool == false)
        try await choose(of: "Gina", host, "Give the word back in the chat")
        try await guest.page.wait("!\(isClosed)", "she writes again")
        try await host.page.press("Switch the chat off for all")
        for one in [host, member, guest] {
            try await one.page.see("The chat is switched off.")
            #expect(try await one.page.run(isClosed) as? Bool == true)
        }
        try await host.page.press("Switch the chat on for all")
        try await guest.page.wait("!\(isClosed)", "it is on again")
    }

    private func keyboard(_ host: Attendee) async throws {
        _ = try await host.page.run("strata.named('textarea', 'Your message').focus()")
        try await host.page.browser.type("by the keyboard")
        try await host.page.browser.key("Enter")
        try await host.page.wait("\(Self.messages).some(one => one.innerText.includes('by the keyboard'))", "it is sent")
        try await host.page.browser.key("Escape")
        try await host.page.wait("document.getElementById('chat') === null", "the chat is closed")
        #expect(try await host.page.run("strata.name(document.activeElement)") as? String == "Chat")
    }

    /// Everything on the page has a name, and nothing is wider than it.
    private func sound(_ one: Attendee, _ place: SourceLocation = #_sourceLocation) async throws {
        let faults = try await one.page.faults()
        #expect(faults.isEmpty, "\(faults)", sourceLocation: place)
    }

    /// The chat has the whole window there, and what is written is written within it.
    private func phone(_ one: Attendee) async throws {
        try await one.page.browser.resize(width: 360, height: 740)
        let isWithin = """
            ['.composer', '.messages'].map(name => document.querySelector(name).getBoundingClientRect()).every(box => box.left >= 0
              && box.right <= innerWidth && box.bottom <= document.querySelector('.room-controls').getBoundingClientRect().top + 1)
            """
        try await one.page.wait(isWithin, "the chat is within the window")
        try await sound(one)
        try await one.page.browser.screenshot("app-talk-2-phone")
        try await one.page.press("Close")
        try await one.page.press("More")
        try await one.page.press("Raise your hand")
        try await one.page.press("More")
        let isThere = "['Take your hand down', 'Applause'].every(name => strata.named('button', name) !== null)"
        try await one.page.wait(isThere, "the hand is up, and reactions are there")
        try await sound(one)
    }

    // MARK: Hands, reactions and what hosts do

    private func raise(_ host: Attendee, _ guest: Attendee) async throws {
        try await host.page.wait("test.tile('Gina').querySelector('.bars') !== null", "how well she comes is told", within: .seconds(30))
        try await guest.page.press("Raise your hand")
        try await guest.page.wait("strata.named('button', 'Take your hand down') !== null", "it is up")
        try await host.page.wait("test.tile('Gina').innerText.includes('Hand up')", "the host sees it")
        let said = "[...document.querySelectorAll('[role=status]')].map(one => one.textContent).join()"
        #expect(try await host.page.run("\(said).includes('Gina raises a hand.')") as? Bool == true)
        try await host.page.press("Who is there: 3")
        try await host.page.press("Take the hand of Gina down")
        try await guest.page.wait("strata.named('button', 'Raise your hand') !== null", "it is down")
        _ = try await host.page.run("document.querySelector('.room-panel header button').click()")
    }

    /// They rise; for whom nothing is to move they stand.
    private func react(_ host: Attendee, _ member: Attendee, _ guest: Attendee) async throws {
        func shown(_ reaction: String, _ animation: String, to one: Attendee) async throws {
            let float = "document.querySelector('.float[data-reaction=\(reaction)]')"
            let isSeen = "\(float)?.innerText.includes('Gina') === true && getComputedStyle(\(float)).animationName === '\(animation)'"
            try await one.page.wait(isSeen, "\(one.name) sees it")
        }
        // Each stands for four seconds: everybody has one of their own to be seen by.
        for (one, words, reaction) in [(member, "Thumbs up", "thumbs-up"), (guest, "Laughter", "laugh"), (host, "Applause", "clap")] {
            try await guest.page.press("React")
            try await guest.page.press(words)
            try await shown(reaction, "rise", to: one)
        }
        try await host.page.browser.screenshot("app-talk-3-reaction")
        try await host.page.browser.prefer("prefers-reduced-motion", "reduce")
        try await guest.page.press("React")
        try await guest.page.press("Heart")
        try await shown("heart", "none", to: host)
        try await host.page.browser.prefer("prefers-reduced-motion", "no-preference")
        try await host.page.wait("document.querySelector('.float') === null", "they are over")
    }

    /// A window of its own, as far as the page makes it: a frame stands for what the browser would open.
    private func float(_ host: Attendee, _ guest: Attendee) async throws {
        let stand = """
            Object.defineProperty(window, 'documentPictureInPicture', { configurable: true, value: { requestWindow: async () => {
              test.frame = document.createElement('iframe');
              document.body.append(test.frame);
              return test.frame.contentWindow;
            } } }); 0
            """
        _ = try await host.page.run(stand)
        try await host.page.press("More")
        try await host.page.press("The meeting in a small window")
        let small = "test.frame.contentDocument"
        try await host.page.wait("(\(small).querySelector('.small-window video')?.videoWidth ?? 0) > 0", "there is a picture in it")
        try await guest.page.press("React")
        try await guest.page.press("Party")
        try await host.page.wait("\(small).querySelector('.float[data-reaction=party]') !== null", "reactions are seen there, too")
        _ = try await host.page.run("\(small).querySelector('[aria-label=Close]').click()")
        try await host.page.wait("\(small).querySelector('.small-window') === null", "it is closed")
        _ = try await host.page.run("test.frame.remove(); 0")
    }

    /// The meeting alone, one picture alone, and the browser around them again.
    private func fill(_ host: Attendee) async throws {
        func fills(_ element: String) async throws {
            try await host.page.press("Full screen")
            try await host.page.wait("document.fullscreenElement?.isSameNode(\(element)) === true", "the screen is full of it")
            _ = try await host.page.run("document.exitFullscreen()")
            try await host.page.wait("document.fullscreenElement === null", "the browser is around it again")
        }
        try await host.page.press("More")
        try await fills("document.documentElement")
        _ = try await host.page.run("test.tile('Gina').querySelector('.menu > button').click()")
        try await fills("test.tile('Gina').querySelector('video')")
    }

    private func stop(_ host: Attendee, _ member: Attendee, _ guest: Attendee) async throws {
        try await host.gets(voices: 2, pictures: 2, "both others come")
        try await choose(of: "Gina", host, "Switch their microphone off")
        try await guest.page.see("A host has switched your microphone off.")
        try await choose(of: "Gina", host, "Switch their camera off")
        try await guest.page.see("A host has switched your camera off.")
        let isOff = "test.tile('Gina').innerText.includes('Microphone off') && test.tile('Gina').querySelector('video') === null"
        try await host.page.wait(isOff, "it is seen")
        try await host.gets(voices: 1, pictures: 1, "the member alone comes")
        for name in ["microphone", "camera"] { try await guest.page.press("Switch the \(name) on") }
        try await host.gets(voices: 2, pictures: 2, "she goes on")
        try await member.page.press("Show your screen")
        try await host.page.wait("document.querySelector('.tile.screen video') !== null", "there is a screen", within: .seconds(30))
        try await choose(of: "member", host, "Stop their screen")
        try await member.page.see("A host has stopped your screen.")
        try await host.page.wait("document.querySelector('.tile.screen') === null", "it is gone")
        try await host.page.press("Who is there: 3")
        try await host.page.press("Switch all microphones off")
        try await host.page.see("Everybody but you is silent at once.")
        try await host.page.press("Switch all microphones off")
        for one in [member, guest] { try await one.page.see("A host has switched your microphone off.") }
        try await host.gets(voices: 0, pictures: 2, "all are silent")
        _ = try await host.page.run("document.querySelector('.room-panel header button').click()")
    }

    /// Large for all, and for oneself.
    private func enlarge(_ host: Attendee, _ member: Attendee, _ guest: Attendee) async throws {
        func large(_ one: Attendee, _ names: String) async throws {
            let shown = "[...document.querySelectorAll('.large .tile')].map(one => one.dataset.name).join()"
            try await one.page.wait("\(shown) === '\(names)'", "\(one.name) sees large: \(names)")
        }
        try await choose(of: "member", host, "Show large to all")
        for one in [host, member, guest] { try await large(one, "member") }
        try await choose(of: "Gina", host, "Show large to all")
        for one in [host, member, guest] { try await large(one, "member,Gina") }
        try await sound(host)
        try await host.page.browser.screenshot("app-talk-4-spotlight")
        try await choose(of: "Owner", member, "Pin")
        try await large(member, "Owner")
        try await large(guest, "member,Gina")
        try await choose(of: "Owner", member, "Unpin")
        for name in ["member", "Gina"] { try await choose(of: name, host, "Show large to all no more") }
        for one in [host, member, guest] { try await large(one, "") }
    }

    private func lock(_ host: Attendee, _ guest: Attendee, _ desk: FrontDesk, _ slug: String) async throws {
        try await host.page.press("More")
        try await host.page.press("Lock the meeting")
        try await guest.page.see("Locked")
        let late = try await desk.visitor().post("/join/guest", #"{"slug":"\#(slug)","name":"Late"}"#)
        #expect(try late.status == 409 && late.text("detail").contains("locked"), "\(late)")
        try await host.page.press("More")
        try await host.page.press("Unlock the meeting")
        try await guest.page.wait("document.querySelector('.room-bar .locked') === null", "it is unlocked")
    }

    /// What one may do comes and goes with one's role, without coming in anew.
    private func cast(_ host: Attendee, _ guest: Attendee) async throws {
        let shows = "strata.named('button', 'Show your screen') !== null", peers = try await guest.page.run("test.peers.length") as? Double
        #expect(try await guest.page.run(shows) as? Bool == false)
        for (role, now, isHost) in [("co_host", "Co-host", true), ("guest", "Guest", false)] {
            try await choose(of: "Gina", host, "Change the role")
            try await host.page.fill("From now on", role)
            try await host.page.press("Change the role")
            try await guest.page.see("Your role in this meeting is now: \(now)")
            try await guest.page.wait("\(shows) === \(isHost)", "what she may show is another")
            try await guest.page.press("More")
            try await guest.page.wait("(strata.named('button', 'Lock the meeting') !== null) === \(isHost)", "what she may do is another")
            try await guest.page.browser.key("Escape")
        }
        #expect(try await guest.page.run("test.peers.length") as? Double == peers)
    }

    // MARK: Parts

    /// A meeting with a host, a member and a guest in it.
    private func inTalk(_ body: (Attendee, Attendee, Attendee, FrontDesk, _ slug: String) async throws -> Void) async throws {
        try await inRooms { desk, owner in
            _ = try await user(.member, of: owner, at: desk)
            let made = try await owner.post("/meetings", #"{"title":"Talk","settings":{"guestAccess":"open"}}"#)
            let slug = try made.text("slug")
            let host = try await Attendee("Owner", at: desk, as: "owner@example.org", desk.installation.ownerPassword)
            let member = try await Attendee("member", at: desk, as: "member@example.org", "a long password")
            let guest = try await Attendee("Gina", at: desk)
            for one in [host, member, guest] { try await one.enter("/demo/m/\(slug)") }
            for one in [host, member, guest] {
                try await one.page.wait("['Owner', 'member', 'Gina'].every(name => test.tile(name) !== null)", "\(one.name) sees all")
            }
            try await body(host, member, guest, desk, slug)
        }
    }

    /// Writes a message, and waits until the server has it.
    private func say(_ text: String, _ one: Attendee) async throws {
        try await one.page.fill("Your message", text)
        try await one.page.press("Send")
        try await one.page.wait("strata.named('textarea', 'Your message').value === ''", "it is sent")
    }

    private func address(_ name: String, _ one: Attendee) async throws {
        let field = "strata.named('select', 'To')"
        try await one.page.wait("\(field) !== null", "there is somebody to choose")
        _ = try await one.page.run("strata.put(\(field), [...\(field).options].find(one => one.text === '\(name)').value)")
    }

    /// By the menu of a message.
    private func act(on text: String, _ item: String, _ one: Attendee) async throws {
        let menu = "\(Self.messages).find(one => one.innerText.includes('\(text)'))?.querySelector('.menu > button')"
        try await one.page.wait("(\(menu) ?? null) !== null", "there is something to do about '\(text)'")
        _ = try await one.page.run("\(menu).click()")
        try await one.page.press(item)
    }

    /// By the menu of a tile.
    private func choose(of name: String, _ one: Attendee, _ item: String) async throws {
        let menu = "test.tile('\(name)')?.querySelector('.menu > button')"
        try await one.page.wait("(\(menu) ?? null) !== null", "there is something to do about \(name)")
        _ = try await one.page.run("\(menu).click()")
        try await one.page.press(item)
    }
}
