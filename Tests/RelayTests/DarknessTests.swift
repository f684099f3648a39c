import Testing

@testable import Relay

struct DarknessTests {
    private static let frame: Duration = .milliseconds(40)

    @Test("before the first picture nothing is dark: no slate could be like it")
    func before() {
        #expect(Darkness().darkAt(frame: Self.frame) == nil)
    }

    @Test("it is dark 1.5 s after the last picture, and later for pictures that are slow by themselves")
    func limit() {
        var darkness = Darkness()
        darkness.picture(at: .seconds(10))
        #expect(darkness.darkAt(frame: Self.frame) == .milliseconds(11_500))
        #expect(darkness.darkAt(frame: .seconds(1)) == .seconds(13))
        darkness.showSlate(at: .milliseconds(11_500))
        #expect(darkness.slateSince == .milliseconds(11_500) && darkness.darkAt(frame: Self.frame) == nil)
    }

    @Test("a sender that is back is trusted at once, and after a pause from the beginning")
    func trust() {
        var darkness = Darkness()
        darkness.picture(at: .seconds(10))
        darkness.showSlate(at: .seconds(12))
        #expect(!darkness.trusts(at: .seconds(12)))
        #expect(darkness.media(at: .seconds(20)) == .begins)
        #expect(darkness.trusts(at: .seconds(20)))
        #expect(darkness.media(at: .milliseconds(20_400)) == .goesOn)
        #expect(darkness.media(at: .milliseconds(21_000)) == .begins)
    }

    @Test("a sender that flaps has to come for a second without a pause before it is shown again")
    func flapping() {
        var darkness = Darkness()
        darkness.picture(at: .seconds(1))
        darkness.showSlate(at: .milliseconds(2500))
        _ = darkness.media(at: .seconds(4))
        darkness.join(at: .seconds(4))
        darkness.picture(at: .milliseconds(4300))
        darkness.showSlate(at: .milliseconds(5800))
        _ = darkness.media(at: .seconds(7))
        #expect(!darkness.trusts(at: .milliseconds(7300)))
        _ = darkness.media(at: .seconds(9))
        #expect(!darkness.trusts(at: .milliseconds(9900)) && darkness.trusts(at: .seconds(10)))
        darkness.join(at: .seconds(10))
        darkness.picture(at: .seconds(16))
        darkness.showSlate(at: .milliseconds(17_500))
        _ = darkness.media(at: .seconds(20))
        #expect(darkness.trusts(at: .seconds(20)))
    }
}
