import Support
import Testing
import Wire

@testable import Fleet

/// The rules of RFC 8216 that a media playlist is held to.
@Suite("The window that players outside see") struct HLSWindowTests {
    /// A window, and where the preview's own time is.
    private struct Course {
        var window = HLSWindow()
        var time: Int64 = 0

        init() { window.take(PreviewChunk(.beginning, FragmentBytes.beginning())) }

        /// Groups of pictures, each of a key and the quarters of a second behind it.
        mutating func groups(_ count: Int, ms: Int = 2000, media: Int = 8) {
            for _ in 0..<count {
                for at in stride(from: 0, to: ms, by: 250) {
                    let length = min(250, ms - at) * 90
                    let body = FragmentBytes.fragment(at: time, pictures: [length / 2, length - length / 2], sound: [length], media: media)
                    window.take(PreviewChunk(at == 0 ? .key : .more, body))
                    time += Int64(length)
                }
            }
        }
    }

    /// What a player reads.
    private struct Playlist {
        let lines: [String]

        init(_ window: HLSWindow) throws { lines = try #require(window.playlist).split(separator: "\n").map(String.init) }

        func value(_ tag: String) -> Int? { lines.first { $0.hasPrefix(tag + ":") }.flatMap { Int($0.dropFirst(tag.count + 1)) } }
        var files: [String] { lines.filter { !$0.hasPrefix("#") } }
        var durations: [Double] { lines.filter { $0.hasPrefix("#EXTINF:") }.compactMap { Double($0.dropFirst(8).dropLast()) } }
        var maps: [String] { lines.filter { $0.hasPrefix("#EXT-X-MAP") } }
    }

    @Test("the playlist says what section 4.3 asks of one, and names files that are there")
    func text() throws {
        var course = Course()
        #expect(course.window.playlist == nil && !course.window.isReady)
        course.groups(3)
        // The third grows still.
        #expect(
            course.window.playlist == """
                #EXTM3U
                #EXT-X-VERSION:6
                #EXT-X-TARGETDURATION:3
                #EXT-X-MEDIA-SEQUENCE:0
                #EXT-X-DISCONTINUITY-SEQUENCE:0
                #EXT-X-MAP:URI="init-1.mp4"
                #EXTINF:2.00000,
                0.m4s
                #EXTINF:2.00000,
                1.m4s

                """)
        #expect(course.window.isReady && course.window.file("init-1.mp4") == [1, 2, 3])
        let first = try #require(course.window.file("0.m4s"))
        let fragment = FragmentBytes.fragment(at: 0, pictures: [11_250, 11_250], sound: [22_500])
        #expect(first.starts(with: fragment) && first.count == 8 * fragment.count)
        for name in ["2.m4s", "00.m4s", "+1.m4s", "-1.m4s", "init-0.mp4", "init-2.mp4", "init-01.mp4", "0", ".m4s", "", "index.m3u8"] {
            #expect(course.window.file(name) == nil, "\(name)")
        }
    }

    @Test("no segment is longer than the target, rounded, whatever the distance of key frames; with two seconds each begins with one")
    func durations() throws {
        for ms in [100, 250, 500, 900, 1000, 1500, 1690, 1710, 1990, 2000, 2200, 3000, 3390, 3600, 5000, 10_000, 60_000] {
            var course = Course()
            course.groups(max(4, 24_000 / ms), ms: ms)
            let playlist = try Playlist(course.window)
            let target = try #require(playlist.value("#EXT-X-TARGETDURATION"))
            #expect(playlist.durations.allSatisfy { Int($0.rounded()) <= target && $0 >= 1.4 }, "\(ms): \(playlist.durations)")
            #expect(playlist.durations.reduce(0, +) >= 3 * Double(target), "\(ms) (6.2.2)")
        }
        var course = Course()
        course.groups(4)
        for name in try Playlist(course.window).files {
            let bytes = try #require(course.window.file(name))
            let times = try #require(FragmentTimes(bytes.prefix(bytes.count / 8)))
            #expect(times.pictures.map { $0.start % 180_000 } == 0)
        }
        // One picture that lasts for ten seconds: the word that was given is kept.
        course.window.take(PreviewChunk(.key, FragmentBytes.fragment(at: course.time, pictures: [900_000])))
        course.window.end()
        #expect(try Playlist(course.window).durations.max() == 3.4)
    }

    @Test("it slides: numbers go up by one, files stay as they were, and what has gone is given for a while")
    func slides() throws {
        var course = Course()
        var seen: [String: [UInt8]] = [:]
        var last = 0
        for step in 0..<40 {
            course.groups(1, media: 100 + step)
            guard step > 0 else { continue }
            let playlist = try Playlist(course.window)
            let first = try #require(playlist.value("#EXT-X-MEDIA-SEQUENCE"))
            #expect(first == last || first == last + 1)
            last = first
            #expect(playlist.files == (0..<playlist.files.count).map { "\(first + $0).m4s" })
            for name in playlist.files {
                let bytes = try #require(course.window.file(name))
                #expect(seen[name] ?? bytes == bytes)
                seen[name] = bytes
            }
            #expect(playlist.durations.reduce(0, +) <= 16)
            if first > 8 { #expect(course.window.file("\(first - 8).m4s") != nil && course.window.file("\(first - 12).m4s") == nil) }
        }
        #expect(last > 30 && course.window.file("init-1.mp4") != nil)
    }

    @Test("another format, a hole and an interruption are discontinuities, which are counted when they have gone (4.3.2.3, 4.3.3.3)")
    func discontinuities() throws {
        var course = Course()
        course.groups(2)
        course.window.take(PreviewChunk(.beginning, FragmentBytes.beginning([9])))
        course.groups(2)
        course.time += 90_000
        course.groups(2)
        course.window.interrupt()
        course.groups(2)
        course.window.take(PreviewChunk(.more, [1, 2, 3]))
        let playlist = try Playlist(course.window)
        let marks = playlist.lines.indices.filter { playlist.lines[$0] == "#EXT-X-DISCONTINUITY" }
        #expect(marks.count == 3)
        #expect(playlist.maps == ["#EXT-X-MAP:URI=\"init-1.mp4\"", "#EXT-X-MAP:URI=\"init-2.mp4\""])
        #expect(playlist.lines[marks[0] + 1] == playlist.maps[1])
        #expect(marks.map { mark in playlist.lines[mark...].first { !$0.hasPrefix("#") } } == ["2.m4s", "4.m4s", "6.m4s"])
        #expect(course.window.file("init-2.mp4") == [9])

        for _ in 0..<8 {
            course.groups(2)
            let next = try Playlist(course.window)
            let listed = next.lines.count { $0 == "#EXT-X-DISCONTINUITY" }
            let total = try #require(next.value("#EXT-X-DISCONTINUITY-SEQUENCE")) + listed
            #expect(total == 3, "what was no fragment is no discontinuity by itself")
        }
        #expect(try Playlist(course.window).value("#EXT-X-DISCONTINUITY-SEQUENCE") == 3)
        #expect(course.window.file("init-1.mp4") == nil)
    }

    @Test("where nobody plays everything is let go, and the numbers go on")
    func forgotten() throws {
        var course = Course()
        course.groups(4)
        course.window.forget()
        #expect(course.window.playlist == nil && course.window.bytes == 0 && !course.window.isReady)
        course.groups(2)
        #expect(course.window.playlist == nil, "without a beginning there is nothing to play")
        course.window.take(PreviewChunk(.beginning, FragmentBytes.beginning([5])))
        course.groups(3)
        let playlist = try Playlist(course.window)
        #expect(playlist.files == ["3.m4s", "4.m4s"] && playlist.value("#EXT-X-DISCONTINUITY-SEQUENCE") == 0)
        #expect(playlist.lines.contains("#EXT-X-DISCONTINUITY") && playlist.maps == ["#EXT-X-MAP:URI=\"init-2.mp4\""])
    }

    @Test("the end is told with the last of it, and nothing comes behind it (4.3.3.4)")
    func end() throws {
        var course = Course()
        course.groups(2)
        course.window.end()
        course.groups(2)
        course.window.end()
        let playlist = try Playlist(course.window)
        #expect(playlist.lines.last == "#EXT-X-ENDLIST" && playlist.files == ["0.m4s", "1.m4s"] && course.window.isReady)
    }

    @Test("sound alone is played too, and sound that goes by itself makes nothing longer")
    func sound() throws {
        var window = HLSWindow()
        window.take(PreviewChunk(.beginning, FragmentBytes.beginning()))
        for at in 0..<20 { window.take(PreviewChunk(.key, FragmentBytes.fragment(at: Int64(at) * 22_500, sound: [22_500]))) }
        #expect(try Playlist(window).durations == [1.75, 1.75])

        var course = Course()
        for _ in 0..<3 {
            course.groups(1)
            course.window.take(PreviewChunk(.more, FragmentBytes.fragment(at: course.time, sound: [22_500])))
        }
        #expect(try Playlist(course.window).durations == [2, 2])
    }

    @Test("the bytes are bounded, whatever comes: more than there is room for, times that stand still, beginnings without an end")
    func bounds() throws {
        var course = Course()
        for _ in 0..<12 {
            course.groups(1, media: 2 << 20)
            #expect(course.window.bytes <= HLSWindow.byteLimit)
        }
        #expect(try !Playlist(course.window).files.isEmpty)
        let still = PreviewChunk(.more, FragmentBytes.fragment(at: course.time, pictures: [0], media: 1 << 20))
        for _ in 0..<200 { course.window.take(still) }
        #expect(course.window.bytes <= HLSWindow.byteLimit)
        for _ in 0..<100 { course.window.take(PreviewChunk(.beginning, FragmentBytes.beginning([UInt8](repeating: 1, count: 1 << 20)))) }
        #expect(course.window.bytes <= HLSWindow.byteLimit)
    }

    @Test("what is no fragment is passed over up to the next key frame")
    func malformed() throws {
        let good = FragmentBytes.fragment(at: 90_000, pictures: [3000, 3000], sound: [1920])
        let times = try #require(FragmentTimes(ArraySlice(good)))
        #expect(times.pictures == .init(start: 90_000, length: 6000) && times.sound == .init(start: 90_000, length: 1920))
        for count in 0..<good.count { #expect(FragmentTimes(good.prefix(count)) == nil || count == good.count - 16, "\(count)") }
        let twice = FragmentBytes.box("moof", Array(good.dropFirst(8).dropLast(16)) + Array(good.dropFirst(24).dropLast(16)))
        #expect(FragmentTimes(ArraySlice(twice)) == nil)
        #expect(FragmentTimes([]) == nil && FragmentTimes(ArraySlice(FragmentBytes.box("moof", []))) == nil)
        let late = FragmentBytes.fragment(at: .max, pictures: [1])
        #expect(FragmentTimes(ArraySlice(late)) == nil)

        var course = Course()
        course.groups(2)
        course.window.take(PreviewChunk(.more, [0, 0, 0, 8]))
        let lost = PreviewChunk(.more, FragmentBytes.fragment(at: course.time, pictures: [90_000]))
        course.window.take(lost)
        course.groups(2)
        course.window.end()
        #expect(try Playlist(course.window).durations == [2, 2, 2, 2])
    }
}
