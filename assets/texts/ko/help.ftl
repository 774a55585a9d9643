## Help
help-title = 단축키와 마우스
help-orbit = 화면 돌리기
help-orbit-how = 끌기, 또는 화살표 키
help-pan = 화면 옮기기
help-pan-how = 오른쪽 단추로 끌기, 또는 Shift와 화살표 키
help-zoom = 확대와 축소
help-zoom-how = 휠, 또는 +와 −
help-centre = 원자를 가운데로
help-centre-how = 두 번 누르기
help-pick = 선택
help-pick-how = 누르기; Shift를 함께 누르면 더하거나 빼기
