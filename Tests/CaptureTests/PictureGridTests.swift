import Glibc
import Posix
import Testing
import Wire

@testable import Capture

@Suite struct PictureGridTests {
    /// A picture of 640 by 360 whose luma is drawn by place.
    private func picture(_ luma: (_ x: Int, _ y: Int) -> UInt8) -> [UInt8] {
        (0..<360).flatMap { y in (0..<640).map { luma($0, y) } } + [UInt8](repeating: 128, count: 640 * 180)
    }

    private func look(_ grid: inout PictureGrid, _ bytes: [UInt8]) -> PictureGrid.Look? {
        bytes.withUnsafeBytes { grid.look(at: $0, width: 640, height: 360) }
    }

    @Test("black with noise and a logo is dark, a dark scene with a lamp is not")
    func dark() {
        var grid = PictureGrid()
        var random = SystemRandomNumberGenerator()
        #expect(look(&grid, picture { x, y in x > 600 && y < 30 ? 235 : UInt8.random(in: 14...26, using: &random) })?.isDark == true)
        #expect(look(&grid, picture { x, y in x > 520 && y < 90 ? 180 : 20 })?.isDark == false)
        #expect(look(&grid, picture { _, _ in 60 })?.isDark == false)
    }

    @Test("the same picture and one decoded again are still; noise of a sensor, a small thing that moves and a slow fade are not")
    func still() {
        var grid = PictureGrid()
        var random = SystemRandomNumberGenerator()
        let scene = picture { x, y in UInt8(40 + (x * 7 + y * 3) % 180) }
        #expect(look(&grid, scene)?.isStill == false)
        #expect(look(&grid, scene)?.isStill == true)
        #expect(look(&grid, scene.map { $0 + UInt8.random(in: 0...1, using: &random) })?.isStill == true)
        #expect(look(&grid, scene.map { $0 + UInt8.random(in: 0...8, using: &random) })?.isStill == false)
        _ = look(&grid, scene)
        var moved = scene
        for y in 100..<130 { for x in 200..<230 { moved[y * 640 + x] = 235 } }
        #expect(look(&grid, moved)?.isStill == false)
        let faded = (0..<8).map { step in look(&grid, moved.map { $0 - UInt8(step) })?.isStill }
        #expect(faded.dropFirst().contains(false), "each step alone is within the noise")
        grid.forget()
        #expect(look(&grid, scene)?.isStill == false)
    }

    @Test("five looks a second are a small part of a core")
    func cost() {
        let bytes = [UInt8](unsafeUninitializedCapacity: 1920 * 1080 * 3 / 2) { buffer, count in
            for index in buffer.indices { buffer[index] = UInt8(truncatingIfNeeded: index * 7) }
            count = buffer.count
        }
        var grid = PictureGrid()
        func processorSeconds() -> Double {
            var time = timespec()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
        }
        let began = processorSeconds()
        bytes.withUnsafeBytes { for _ in 0..<50 { grid.look(at: $0, width: 1920, height: 1080) } }
        let share = (processorSeconds() - began) / 10
        print("measured: looking at 1920x1080 five times a second takes \(share * 100) % of a core in this build")
        #expect(share < 0.01)
    }

    @Test("what is no whole picture is not looked at")
    func cut() {
        var grid = PictureGrid()
        #expect([UInt8](repeating: 0, count: 640 * 359).withUnsafeBytes { grid.look(at: $0, width: 640, height: 360) } == nil)
        #expect([UInt8](repeating: 0, count: 1000).withUnsafeBytes { grid.look(at: $0, width: 32, height: 18) } == nil)
    }
}
