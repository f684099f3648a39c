import Testing

@testable import Pool

@Suite("The fence around a stream that may be elsewhere")
struct FenceTests {
    private func looks(_ fence: inout Fence, _ count: Int, control: Bool = false, dark: Bool = true) -> Fence.Verdict {
        for _ in 0..<count { _ = fence.look(isControlThere: control, isDark: dark) }
        return fence.verdict
    }

    @Test("without control and without the sender nothing new is opened after 3 s, and all is closed after 30")
    func closes() {
        var fence = Fence()
        #expect(looks(&fence, 2) == .open)
        #expect(looks(&fence, 1) == .narrow)
        #expect(looks(&fence, 26) == .narrow)
        #expect(looks(&fence, 1) == .closed)
        #expect(looks(&fence, 10_000) == .closed)
    }

    @Test("either of the two is enough: control that is there, or a sender that sends")
    func eitherOne() {
        var fence = Fence()
        #expect(looks(&fence, 100, control: true) == .open)
        #expect(looks(&fence, 100, dark: false) == .open)
        // A restart of control under a slate.
        #expect(looks(&fence, 29) == .narrow && looks(&fence, 3, control: true) == .open)
        #expect(looks(&fence, 31) == .closed && looks(&fence, 1, dark: false) == .open)
    }

    @Test("control that has come back is believed after 3 s: a lease that it has given away is released by then")
    func confirmation() {
        var fence = Fence()
        #expect(looks(&fence, 40) == .closed)
        #expect(looks(&fence, 2, control: true) == .closed)
        // It was there for a moment only.
        #expect(looks(&fence, 1) == .closed && looks(&fence, 2, control: true) == .closed)
        #expect(looks(&fence, 1, control: true) == .open)
    }
}
