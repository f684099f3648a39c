import Testing

@testable import Capture

/// What may wait in front of a slow encoder.
@Suite struct FrameRoomTests {
    /// Frames of one size that wait when no more are taken.
    private func waiting(_ bytes: Int, _ frameRate: Int) -> Int {
        let room = FrameRoom(frameRate: frameRate)
        var frames = 0
        while room.takes(bytes, beside: frames, of: frames * bytes), frames < 1000 { frames += 1 }
        return frames
    }

    @Test("at most a second's frames wait, and of large ones what 64 MiB hold, but never fewer than two")
    func bounds() {
        func nv12(_ width: Int, _ height: Int) -> Int { width * height * 3 / 2 }
        #expect(waiting(nv12(3840, 2160), 60) == 5)
        #expect(waiting(nv12(1920, 1080), 60) == 21)
        #expect(waiting(nv12(640, 360), 25) == 25)
        #expect(waiting(nv12(640, 360), 5) == 10)
        // 8192x8192 in RGBA: more than there is room for at all.
        #expect(waiting(256 << 20, 60) == 2)
        #expect(waiting(0, 60) == 60)
    }

    @Test("what a change of size left waiting counts as it is")
    func mixed() {
        let room = FrameRoom(frameRate: 30)
        #expect(!room.takes(1, beside: 2, of: 64 << 20) && room.takes(1, beside: 2, of: (64 << 20) - 1))
        #expect(room.takes(1 << 40, beside: 1, of: 1 << 40))
    }
}
