import Testing
import Units
import Wire

@testable import Capture

@Suite("Camera mode") struct CameraModeTests {
    private func mode(_ format: String, _ width: Int, _ height: Int, _ frames: Int, _ seconds: Int = 1) -> VideoMode {
        VideoMode(width: width, height: height, frames: frames, frameSeconds: seconds, format: format)
    }

    private let wanted = EncoderChoice(bitrate: .kilobits(2500), width: 1280, height: 720, frameRate: 30)

    @Test("the size and rate that are wanted win, raw before JPEG")
    func exact() {
        let modes = [
            mode("YUYV", 640, 480, 30), mode("MJPG", 1280, 720, 30), mode("YUYV", 1280, 720, 30), mode("MJPG", 1920, 1080, 30),
        ]
        #expect(CameraMode.choose(modes, for: wanted) == modes[2])
    }

    @Test("JPEG at the full rate wins over raw pictures at a third of it, and 29.97 is as good as 30")
    func rate() {
        let modes = [mode("YUYV", 1280, 720, 10), mode("MJPG", 1280, 720, 30000, 1001), mode("YUYV", 640, 480, 30)]
        #expect(CameraMode.choose(modes, for: wanted) == modes[1])
    }

    @Test("no larger than needed, and the largest where none is enough")
    func size() {
        let large = [mode("MJPG", 3840, 2160, 30), mode("MJPG", 1920, 1080, 30)]
        #expect(CameraMode.choose(large, for: wanted) == large[1])
        let small = [mode("YUYV", 320, 240, 30), mode("YUYV", 640, 480, 30)]
        #expect(CameraMode.choose(small, for: wanted) == small[1])
        #expect(CameraMode.choose([mode("H264", 1280, 720, 30)], for: wanted) == nil)
    }
}
