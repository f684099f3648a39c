import Posix
import Testing

@testable import Uplink

/// A judge that an expectation can ask: asking changes it.
private final class Asked {
    private var judge: RequestJudge
    init(buffer: Duration) { judge = RequestJudge(buffer: buffer) }

    func sent(_ number: UInt16, over link: Int, at now: Instant) { judge.sent(number, over: link, at: now) }
    func asked(_ mark: UInt64, over link: Int, at now: Instant) { judge.asked(mark, over: link, at: now) }
    func answered(_ mark: UInt64, over link: Int, at now: Instant) { judge.answered(mark, over: link, at: now) }
    func heard(over link: Int, at now: Instant) { judge.heard(over: link, at: now) }
    func closed(_ link: Int) { judge.closed(link) }
    func isDue(_ number: UInt16, at now: Instant) -> Bool { judge.isDue(number, at: now) }
}

@Suite("Which requests of a stock receiver are due")
struct RequestJudgeTests {
    private let start = Instant(nanoseconds: 1_000_000_000)
    private func at(_ ms: Int) -> Instant { start + .milliseconds(ms) }

    /// Links 0 and 1 with round trips of 60 and 400 ms, echoes of which went out and came back for a second up to `until`.
    private func judge(bufferMs: Int = 1000, until: Int = 500) -> Asked {
        let judge = Asked(buffer: .milliseconds(bufferMs))
        for ms in stride(from: -1000, through: until, by: 10) {
            for (link, trip) in [(0, 60), (1, 400)] {
                if ms % 100 == 0 {
                    judge.asked(UInt64(1000 + ms), over: link, at: at(ms))
                    judge.heard(over: link, at: at(ms))
                }
                let asked = ms - trip
                if asked % 100 == 0, asked >= -1000 { judge.answered(UInt64(1000 + asked), over: link, at: at(ms)) }
            }
        }
        return judge
    }

    @Test("a packet that had the time of its own link's round trip is lost, and one that had not may be on its way")
    func age() {
        let judge = judge()
        judge.sent(1, over: 0, at: at(0))
        judge.sent(2, over: 1, at: at(0))
        #expect(!judge.isDue(1, at: at(79)))
        #expect(judge.isDue(1, at: at(80)))
        #expect(!judge.isDue(2, at: at(419)))
        #expect(judge.isDue(2, at: at(420)))
        // Nobody knows.
        #expect(judge.isDue(3, at: at(1)))
    }

    @Test("what was sent again is not sent once more before that had its time, over the link that it went by then")
    func again() {
        let judge = judge()
        judge.sent(1, over: 1, at: at(-350))
        #expect(judge.isDue(1, at: at(70)))
        judge.sent(1, over: 0, at: at(70))
        #expect(!judge.isDue(1, at: at(140)))
        #expect(judge.isDue(1, at: at(150)))
    }

    @Test("a way that became longer counts as soon as an echo is late, not once one is back")
    func open() {
        let judge = Asked(buffer: .milliseconds(2000))
        for ms in stride(from: -500, through: 0, by: 100) {
            judge.asked(UInt64(1000 + ms), over: 0, at: at(ms))
            judge.answered(UInt64(1000 + ms), over: 0, at: at(ms + 60))
        }
        judge.asked(2000, over: 0, at: at(100))
        judge.sent(1, over: 0, at: at(110))
        judge.heard(over: 0, at: at(250))
        #expect(!judge.isDue(1, at: at(300)))
        judge.answered(2000, over: 0, at: at(460))
        judge.heard(over: 0, at: at(460))
        #expect(!judge.isDue(1, at: at(460)))
        #expect(judge.isDue(1, at: at(490)))
    }

    @Test("a link that has fallen silent, or never answered, holds nothing back")
    func silent() {
        let judge = judge(until: 0)
        judge.sent(1, over: 1, at: at(0))
        #expect(!judge.isDue(1, at: at(249)))
        #expect(judge.isDue(1, at: at(251)))
        let deaf = Asked(buffer: .milliseconds(1000))
        deaf.sent(1, over: 0, at: at(0))
        deaf.asked(1, over: 0, at: at(0))
        deaf.heard(over: 0, at: at(1))
        // An answer to what was not asked is no round trip.
        deaf.answered(7, over: 0, at: at(1))
        #expect(deaf.isDue(1, at: at(1)))
    }

    @Test("what must be sent again now or never is due, so at 200 ms of buffer all is")
    func deadline() {
        let judge = judge(bufferMs: 400)
        judge.sent(1, over: 1, at: at(0))
        // 400 less two round trips of 60, and 100.
        #expect(!judge.isDue(1, at: at(179)))
        #expect(judge.isDue(1, at: at(180)))
        let short = self.judge(bufferMs: 200)
        short.sent(1, over: 1, at: at(0))
        #expect(short.isDue(1, at: at(1)))
    }

    @Test("one of fifteen requests for a packet is due in any case: after twenty a receiver asks no more")
    func often() {
        let judge = judge()
        judge.sent(1, over: 1, at: at(0))
        let due = (1...14).map { judge.isDue(1, at: at($0)) }
        #expect(due.allSatisfy { !$0 })
        #expect(judge.isDue(1, at: at(15)))
    }

    @Test("numbers come round: what was sent 16,384 packets ago is not mistaken for this one")
    func wrap() {
        let judge = judge()
        judge.sent(5, over: 1, at: at(0))
        judge.sent(5 + 1 << 14, over: 1, at: at(0))
        #expect(judge.isDue(5, at: at(1)))
    }
}

@Suite("A stock flow, by arithmetic")
struct StockFlowTests {
    private func flow(longerMs: Int, isJudged: Bool, _ change: (inout StockFlow) -> Void = { _ in }) -> StockFlow.Outcome {
        var flow = StockFlow(
            change: (5000, longerMs), links: [.init(), .init(), .init()], isJudged: isJudged)
        change(&flow)
        return flow.run(seconds: 32)
    }

    @Test("loses packets where one way becomes longer and each request is answered, and none where the late ones are told from the lost")
    func longer() {
        let before = flow(longerMs: 300, isJudged: false)
        #expect(before.lost > 20 && before.sentAgain > before.sent / 2, "\(before)")
        for longerMs in [100, 300, 500] {
            let now = flow(longerMs: longerMs, isJudged: true)
            #expect(now.lost == 0, "\(longerMs) ms: \(now)")
            #expect(now.sentAgain < now.sent / 100, "\(longerMs) ms: \(now)")
        }
    }

    @Test("sends again what is lost, also beside a longer way: at 2 % on each link all of it comes in time")
    func lossy() {
        for longerMs in [0, 300] {
            let now = flow(longerMs: longerMs, isJudged: true) { for link in 0..<3 { $0.links[link].losesEach = 50 } }
            #expect(now.lost == 0, "\(longerMs) ms: \(now)")
            #expect(now.sentAgain < now.sent * 4 / 100, "\(longerMs) ms: \(now)")
            #expect(now.repairMs < 700, "\(longerMs) ms: \(now)")
        }
    }

    @Test("a link that falls silent costs nothing, as its packets are sent again while there is time")
    func dark() {
        let now = flow(longerMs: 0, isJudged: true) {
            $0.kbit = 2000
            $0.links[1].dark = 10_000..<10_350
        }
        #expect(now.lost == 0 && now.repairMs < 500, "\(now)")
    }
}
