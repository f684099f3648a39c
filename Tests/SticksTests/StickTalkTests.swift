import Testing
import Wire

@testable import Sticks

@Suite struct StickTalkTests {
    private static let session = StickAnswer.values(["SesInfo": "SessionID=abc", "TokInfo": "t1"])

    private static func values(_ page: StickPage) -> StickAnswer {
        let reading = StickReadingTests.connected
        return switch page {
        case .session: session
        case .information: .values(reading.information)
        case .status: .values(reading.status)
        case .signal: .values(reading.signal)
        case .network: .values(reading.network)
        case .pin: .values(["SimState": "260"])
        case .control: .text("OK")
        }
    }

    /// One round; what is not answered otherwise is answered as it should be.
    private func round(
        _ talk: inout StickTalk, _ answers: (StickPage) -> StickAnswer? = { _ in nil }
    ) -> (pages: [StickPage], pause: Duration) {
        var pages: [StickPage] = []
        for _ in 0..<20 {
            switch talk.next() {
            case .ask(let page):
                pages.append(page)
                talk.take(answers(page) ?? Self.values(page))
            case .wait(let pause): return (pages, pause)
            }
        }
        return (pages, .zero)
    }

    private func figures(_ talk: StickTalk) -> ModemTelemetry? { talk.figures(link: "eth1", address: "192.168.8.1") }

    @Test("a session is asked for once, who it is now and then, the rest each twenty seconds")
    func rounds() {
        var talk = StickTalk(isNamed: false)
        #expect(figures(talk) == nil)
        let first = round(&talk)
        #expect(first.pages == [.session, .information, .status, .signal, .network] && first.pause == .seconds(20))
        #expect(talk.session?.cookie == "SessionID=abc" && talk.session?.token == "t1")
        #expect(figures(talk)?.state == .connected && talk.simNumber == "8970199201121107156")
        for _ in 1..<6 { #expect(round(&talk).pages == [.status, .signal, .network]) }
        #expect(round(&talk).pages == [.information, .status, .signal, .network])
    }

    @Test("a session that has lapsed is renewed once in a round, and not for ever")
    func lapsed() {
        var talk = StickTalk(isNamed: false)
        _ = round(&talk)
        var refusals = 1
        let renewed = round(&talk) { page in
            guard page == .status, refusals > 0 else { return nil }
            refusals -= 1
            return .failure(StickError(code: 125_002))
        }
        #expect(renewed.pages == [.status, .session, .status, .signal, .network] && figures(talk)?.rsrpDbm == -97)
        let refused = round(&talk) { $0 == .session ? nil : .failure(StickError(code: 125_003)) }
        #expect(refused.pages == [.status, .session, .status, .signal, .network])
    }

    @Test("firmware without sessions, and without some pages, is asked without them")
    func old() {
        var talk = StickTalk(isNamed: false)
        let first = round(&talk) { $0 == .session || $0 == .signal ? .failure(StickError(code: 100_002)) : nil }
        #expect(first.pages == [.session, .information, .status, .signal, .network])
        #expect(round(&talk).pages == [.status, .signal, .network])
        var other = StickTalk(isNamed: false)
        let pages = round(&other) { $0 == .session || $0 == .signal ? .foreign("HTTP 404") : nil }.pages
        #expect(pages == [.session, .status, .signal, .network] && figures(other)?.state == .connected && figures(other)?.rsrpDbm == nil)
    }

    @Test("its lock is asked for where its card may have one")
    func locked() {
        var talk = StickTalk(isNamed: false)
        let status = StickAnswer.values(["SimStatus": "0", "ServiceStatus": "0", "ConnectionStatus": "902"])
        #expect(round(&talk) { $0 == .status ? status : nil }.pages.last == .pin)
        #expect(figures(talk)?.state == .locked && figures(talk)?.sim == .pin)
        #expect(!round(&talk).pages.contains(.pin) && figures(talk)?.state == .connected)
        _ = round(&talk) { $0 == .status ? status : $0 == .pin ? .failure(StickError(code: 100_003)) : nil }
        #expect(figures(talk)?.reason?.contains("login") == true)
        _ = round(&talk)
        #expect(figures(talk)?.reason == nil, "what is not asked any more wants no login")
    }

    @Test("a login that it wants is named with what to do; what it shows without is shown")
    func login() {
        var talk = StickTalk(isNamed: false)
        _ = round(&talk) { $0 == .information ? .failure(StickError(code: 100_003)) : nil }
        #expect(figures(talk)?.id == "stick:eth1" && figures(talk)?.state == .connected)
        #expect(
            figures(talk)?.reason == "it asks for a login and shows only a part: switch the login of its page http://192.168.8.1 off")
        var closed = StickTalk(isNamed: false)
        _ = round(&closed) { $0 == .session ? nil : .failure(StickError(code: 100_003)) }
        #expect(figures(closed)?.state == .starting && figures(closed)?.reason?.hasPrefix("it asks for a login and shows nothing") == true)
        _ = round(&closed)
        #expect(figures(closed)?.reason?.contains("a part") == true, "who it is was not asked again yet")
    }

    @Test("a stick that stops answering keeps its figures for two rounds, is named then, and is asked more and more rarely")
    func silent() {
        var talk = StickTalk(isNamed: false)
        _ = round(&talk)
        var pauses: [Duration] = []
        for count in 1...7 {
            let missed = round(&talk) { _ in .silent("timed out connecting") }
            #expect(missed.pages.count == 1)
            pauses.append(missed.pause)
            #expect((figures(talk)?.state == .connected) == (count < 3))
        }
        #expect(pauses == [5, 10, 20, 40, 60, 60, 60].map { .seconds($0) })
        let named = figures(talk)
        #expect(named?.state == .failed && named?.id == "861234567890123" && named?.rsrpDbm == nil)
        #expect(named?.reason?.contains("it does not answer at http://192.168.8.1: timed out connecting") == true)
        #expect(talk.simNumber != nil, "its card is still the one that is accounted for")
        #expect(round(&talk).pages.starts(with: [.session, .information]))
        #expect(figures(talk)?.state == .connected)
    }

    @Test("what is no stick is asked seldom and not shown, unless it was named; what is silent is shown")
    func foreign() {
        var gateway = StickTalk(isNamed: false)
        var pauses: [Duration] = []
        for _ in 0..<8 { pauses.append(round(&gateway) { _ in .foreign("HTTP 404") }.pause) }
        #expect(figures(gateway) == nil && pauses.last == .seconds(300))
        var phone = StickTalk(isNamed: false)
        for _ in 0..<5 { _ = round(&phone) { _ in .closed("Connection refused") } }
        #expect(figures(phone) == nil)
        var named = StickTalk(isNamed: true)
        _ = round(&named) { _ in .foreign("HTTP 404") }
        #expect(
            figures(named)?.state == .failed && figures(named)?.reason?.contains("does not speak as HiLink sticks do (HTTP 404)") == true)
        var silent = StickTalk(isNamed: false)
        for _ in 0..<3 { _ = round(&silent) { _ in .silent("timed out") } }
        #expect(figures(silent)?.state == .failed)
    }

    @Test("an interface without a gateway is no reason to ask")
    func unreachable() {
        var talk = StickTalk(isNamed: true)
        talk.unreachable("there is no private gateway on eth1")
        #expect(talk.next() == .wait(.seconds(5)) && figures(talk)?.reason?.contains("no private gateway") == true)
    }

    @Test("answers are told apart, whatever bytes they are")
    func answers() {
        func answer(_ status: Int, _ text: String) -> StickAnswer { StickAnswer(status: status, body: Array(text.utf8)) }
        #expect(answer(200, "<response><a>1</a></response>") == .values(["a": "1"]))
        #expect(answer(200, "<response>OK</response>") == .text("OK"))
        #expect(answer(200, "<error><code>125002</code><message/></error>") == .failure(StickError(code: 125_002)))
        #expect(answer(200, "<error><code>99999999999999999999</code></error>") == .failure(StickError(code: 0)))
        for foreign in [answer(302, ""), answer(200, "<html></html>"), answer(200, "{}"), answer(200, "")] {
            guard case .foreign = foreign else {
                Issue.record("\(foreign)")
                continue
            }
        }
        for info in ["", "a b", "a;b", "a\u{E9}", "a\u{7F}"] { #expect(StickTalk.Session(.values(["SesInfo": info])) == nil) }
        #expect(StickTalk.Session(.values(["SesInfo": "x"]))?.cookie == "SessionID=x")
    }
}
