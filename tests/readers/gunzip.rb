# gunzip.rb - Ruby's Zlib: MODE FILE, to stdout.
require 'zlib'

mode, name = ARGV
$stdout.binmode
File.open(name, 'rb') do |file|
  case mode
  when 'reader' then print Zlib::GzipReader.new(file).read
  when 'zcat' then print Zlib::GzipReader.zcat(file)
  when 'gunzip' then print Zlib.gunzip(file.read)
  end
end
